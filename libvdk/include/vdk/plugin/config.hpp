// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/core/error.hpp"

/// Plugins: what the configuration wants, where it comes from, what lies on disk.
namespace vdk::plugin {

/// Something wrong in a file that a person wrote. All of a file's problems are reported at once.
struct Problem {
  enum class Severity { warning, error };
  Severity severity = Severity::error;
  SourceLocation location;
  std::string message;
  std::string hint;  ///< how to mend it, e.g. the nearest known key; may be empty
};
/// One Error(configuration) that lists all problems with line and column; nothing when there is no error among them.
[[nodiscard]] std::optional<Error> to_error(const std::string& file, const std::vector<Problem>& problems);

/// A secret as it is written in a file: `env:NAME`, `file:PATH` (0600 or stricter), `base64:TEXT`, or the text itself.
/// It has no operator<< and is resolved at the moment of use.
struct SecretReference {
  std::string text;
  std::filesystem::path base;  ///< folder that a relative `file:` counts from
  [[nodiscard]] bool empty() const noexcept { return text.empty(); }
};
/// The secret's value. Throws Error(configuration) that names the reference, never the value.
[[nodiscard]] std::string resolve(const SecretReference& reference);
/// Text with user-info and known secret query keys (token, signature, aws_*, sshkey ...) replaced by `***`.
[[nodiscard]] std::string redact_url(std::string_view text);

struct Auth {
  enum class Kind { none, bearer, basic, header, netrc, service_account, sigv4, ssh_key };
  Kind kind = Kind::none;
  std::string name;        ///< header: its name; basic: the user; sigv4: the profile of a profile file; netrc: its file
  SecretReference secret;  ///< token, password, header value, service account JSON (base64 or plain), key file
  SecretReference access_key;     ///< sigv4; without it and a profile: the environment, then the profile file
  SecretReference secret_key;     ///< sigv4
  SecretReference session_token;  ///< sigv4, may be empty
};

enum class ProviderKind { http, gcs, s3, file, git };
[[nodiscard]] std::string_view to_string(ProviderKind kind) noexcept;

struct ProviderConfig {
  ProviderKind kind = ProviderKind::http;
  std::string name;
  std::string url;       ///< http, git
  std::string bucket;    ///< gcs, s3
  std::string prefix;    ///< gcs, s3
  std::string path;      ///< file: a folder, relative to the configuration
  std::string endpoint;  ///< gcs, s3: another host than the cloud's own (emulators, S3-compatible stores)
  std::string region = "us-east-1";
  std::string ref;          ///< git: branch, tag or commit
  bool path_style = false;  ///< s3: bucket in the path and not in the host name
  bool insecure = false;    ///< plain http to a host that is not this one
  std::chrono::seconds timeout{300};
  int retries = 3;
  std::string ca_file;
  std::vector<std::string> trusted_keys;  ///< minisign public keys (base64)
  Auth auth;
  SourceLocation where;
};

/// Bounds, counted on bytes produced and not on what headers claim.
struct Limits {
  std::uint64_t download_bytes = 256ULL << 20U;
  std::uint64_t unpacked_bytes = 1ULL << 30U;
  std::uint64_t ratio = 200;  ///< produced : packed, checked after 10 MiB
  std::uint64_t entries = 10'000;
  unsigned depth = 32;
  unsigned name_bytes = 255;
  unsigned path_bytes = 1024;
  std::uint64_t yaml_bytes = 1ULL << 20U;
};

struct Policy {
  bool require_checksum = false;
  bool require_signature = false;
  bool allow_symlinks = false;  ///< relative ones that stay inside
  Limits limits;
};

/// A plugin that is wanted.
struct PluginEntry {
  std::string name;      ///< `[a-z][a-z0-9_-]{0,63}`; taken from the file's name when the configuration has none
  std::string provider;  ///< name of a ProviderConfig
  std::string path;      ///< below the provider; may hold {version} {os} {arch}
  std::string version;   ///< exact version, or a constraint such as "^1.2" (the newest that fits); empty = unversioned
  std::map<std::string, std::string> sha256;  ///< by platform "os/arch"; key "" = every platform
  std::string signature;                      ///< path of the detached minisign file; "" = none wanted
  std::string pin;                            ///< exactly these bytes: GCS generation or S3 version id; may be empty
  enum class Archive { automatic, zip, tar_gz, tar, none };
  Archive archive = Archive::automatic;
  unsigned strip_components = 0;
  std::vector<std::string> include;  ///< glob patterns of files to keep; empty = all
  std::vector<std::string>
      platforms;  ///< "os/arch" that the lock file covers; empty = every platform has the same bytes
  SourceLocation where;
};

/// A control service to sync from, in order of precedence.
struct ServerEntry {
  std::string name;
  std::string url;
  SourceLocation where;
};

struct Config {
  std::filesystem::path file;
  std::filesystem::path plugin_dir;  ///< absolute
  std::filesystem::path lock;        ///< absolute; `vdk-plugins.lock` beside the file when it names no other
  std::vector<ProviderConfig> providers;
  std::vector<PluginEntry> plugins;
  std::vector<ServerEntry> servers;
  Policy policy;
  std::string digest;  ///< SHA-256 of what the configuration means (order of keys and comments do not count)
  std::vector<Problem> warnings;
};

/// Read a configuration: the RFC's shape, `plugin_manager`, or Optimus's flat `plugin.artifacts`. Throws
/// Error(not_found) or Error(configuration) with all mistakes at once.
[[nodiscard]] Config load_config(const std::filesystem::path& file);

/// Everything that is wrong with a configuration, warnings too, in the order of the file; empty when nothing is. Throws
/// Error(not_found).
[[nodiscard]] std::vector<Problem> check_config(const std::filesystem::path& file);

/// Text of the configuration without one plugin; every other line and comment stays. Throws Error(not_found), or
/// Error(unsupported) with the lines to remove by hand when the text is written in a way that cannot be cut safely.
[[nodiscard]] std::string config_without(const Config& config, const std::string& plugin);

}  // namespace vdk::plugin
