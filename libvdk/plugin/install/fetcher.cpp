// SPDX-License-Identifier: Apache-2.0
#include "plugin/install/fetcher.hpp"

#include "plugin/install/plan.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace vdk::plugin {
namespace {

constexpr std::uint64_t k_largest_signature = 64U << 10U;
const char* const k_nothing_changed = "Nothing was changed.";

/// Only these sources can be asked for an older state; an ETag of a web server names one that is gone.
bool can_pin(ProviderKind kind) {
  return kind == ProviderKind::gcs || kind == ProviderKind::s3 || kind == ProviderKind::git;
}

/// Hash that the bytes must have; empty when nobody knows one.
std::string expected_sha256(const PluginEntry& entry, const std::string& wanted, const LockedArtifact* locked) {
  if (locked != nullptr && !wanted.empty() && wanted != locked->sha256) {
    throw Error(ErrorKind::conflict,
                {.what = "configuration and lock file disagree about plugin '" + entry.name + "'",
                 .why = "the configuration has sha256 " + wanted + ", the lock file " + locked->sha256,
                 .consequences = k_nothing_changed,
                 .countermeasures = "Run `vdk plugin upgrade " + entry.name +
                                    "` when the configuration is right; correct it when the lock file is."},
                entry.where);
  }
  return locked != nullptr ? locked->sha256 : wanted;
}

Error wrong_bytes(const PluginEntry& entry, const Fetched& fetched, const std::string& expected, bool bound) {
  const std::string source = fetched.resolved.empty() ? entry.path : fetched.resolved;
  return {
      ErrorKind::platform,
      {.what = bound ? "the file of plugin '" + entry.name + "' is not the one that was locked"
                     : "the file of plugin '" + entry.name + "' does not have the sha256 of the configuration",
       .why = source + " has sha256 " + fetched.sha256 + " and should have " + expected,
       .consequences = k_nothing_changed,
       .countermeasures = bound ? "Ask who publishes it whether the change is meant. If it is, `vdk plugin upgrade " +
                                      entry.name + "` takes the new file."
                                : "Check the file at its source, then correct `sha256`."},
      entry.where};
}

}  // namespace

void check_cancelled(const InstallOptions& options) {
  if (options.cancelled != nullptr && *options.cancelled) {
    throw Error(ErrorKind::interrupted,
                {"the installation was interrupted", "Ctrl-C", k_nothing_changed, "Run it again to go on."});
  }
}

Fetcher::Fetcher(const Config& config, const InstallOptions& options, Counters& counters)
    : m_config(config), m_options(options), m_counters(counters), m_scratch(m_cache.scratch(), "fetch") {}

Provider& Fetcher::provider(const PluginEntry& entry) {
  auto& known = m_providers[entry.provider];
  if (!known) {
    known = make_provider(provider_of(m_config, entry), m_scratch.path());
  }
  ++m_counters.requests;
  return *known;
}

void Fetcher::refuse_offline(const PluginEntry& entry, const std::string& what) const {
  if (m_options.offline) {
    throw Error(ErrorKind::not_found,
                {.what = "plugin '" + entry.name + "' cannot be installed offline",
                 .why = what + " is not in the cache",
                 .consequences = k_nothing_changed,
                 .countermeasures = "Run it once without --offline, or use a folder made by `vdk plugin vendor`."},
                entry.where);
  }
}

FetchRequest Fetcher::request(const PluginEntry& entry, std::string path) const {
  FetchRequest out;
  out.path = std::move(path);
  out.destination = m_scratch.path() / entry.name;
  out.max_bytes = m_config.policy.limits.download_bytes;
  out.cancelled = m_options.cancelled;
  if (m_options.progress) {
    out.progress = [this, name = entry.name](std::uint64_t received, std::uint64_t total) {
      m_options.progress(name, received, total);
    };
  }
  return out;
}

std::filesystem::path Fetcher::download(const PluginEntry& entry, const std::string& expected, bool bound,
                                        FetchRequest request, LockedArtifact& artifact) {
  const Fetched fetched = provider(entry).fetch(request);
  ++m_counters.downloads;
  if (!expected.empty() && fetched.sha256 != expected) {
    std::error_code ignored;
    std::filesystem::remove(request.destination, ignored);
    throw wrong_bytes(entry, fetched, expected, bound);
  }
  artifact.sha256 = fetched.sha256;
  if (!bound) {
    const ProviderConfig& source = provider_of(m_config, entry);
    const bool local = source.kind == ProviderKind::file;
    // The lock file is for every checkout: no folder of this machine stands in it.
    artifact.resolved =
        local ? (std::filesystem::path(source.path) / artifact.path).lexically_normal().string() : fetched.resolved;
    artifact.pin = local ? "" : fetched.pin;
    artifact.size = fetched.size;
  }
  return m_cache.put(request.destination, fetched.sha256);
}

std::string Fetcher::signature(const PluginEntry& entry, const std::string& path) {
  refuse_offline(entry, "its signature");
  FetchRequest wanted = request(entry, path);
  wanted.destination += ".minisig";
  wanted.max_bytes = k_largest_signature;
  wanted.progress = nullptr;
  (void)provider(entry).fetch(wanted);
  std::string text = files::read(wanted.destination);
  std::error_code ignored;
  std::filesystem::remove(wanted.destination, ignored);
  return text;
}

Obtained Fetcher::obtain(const PluginEntry& entry, const std::string& version, const std::string& platform,
                         const LockedArtifact* locked) {
  check_cancelled(m_options);
  const std::string expected = expected_sha256(entry, wanted_sha256(entry, platform), locked);
  if (m_config.policy.require_checksum && expected.empty()) {
    throw Error(ErrorKind::configuration,
                {.what = "nothing says which bytes plugin '" + entry.name + "' must have",
                 .why = "the policy require_checksum is set and neither the configuration nor the lock file has a "
                        "sha256 for " +
                        (version.empty() ? std::string("it") : "version " + version) + " on " + platform,
                 .consequences = k_nothing_changed,
                 .countermeasures = "Add `sha256` to the plugin."},
                entry.where);
  }
  Obtained out;
  if (locked != nullptr) {
    out.artifact = *locked;
  }
  out.artifact.path = fill_placeholders(entry.path, version, platform);
  // Without a lock entry the source is asked even for cached bytes, so that the lock file does not depend on the cache.
  if (locked != nullptr || (m_options.offline && !expected.empty())) {
    out.file = m_cache.find(expected);
  }
  if (out.file.empty()) {
    refuse_offline(entry, expected.empty() ? "its file" : "the file with sha256 " + expected);
    FetchRequest wanted = request(entry, out.artifact.path);
    const bool pinned = locked != nullptr && can_pin(provider_of(m_config, entry).kind);
    wanted.pin = pinned ? locked->pin : entry.pin;
    out.file = download(entry, expected, locked != nullptr, std::move(wanted), out.artifact);
  } else if (locked == nullptr) {
    out.artifact.sha256 = expected;
    out.artifact.size = std::filesystem::file_size(out.file);
    out.artifact.resolved = redact_url(out.artifact.path);
  }
  if (entry.signature.empty()) {
    out.artifact.signature.clear();
  } else {
    if (out.artifact.signature.empty()) {
      out.artifact.signature = signature(entry, fill_placeholders(entry.signature, version, platform));
    }
    out.signer = verify_minisign(out.file, out.artifact.signature, provider_of(m_config, entry).trusted_keys);
  }
  return out;
}

std::vector<std::string> Fetcher::versions(const PluginEntry& entry) {
  check_cancelled(m_options);
  refuse_offline(entry, "the list of its versions");
  return provider(entry).versions(entry.path);
}

}  // namespace vdk::plugin
