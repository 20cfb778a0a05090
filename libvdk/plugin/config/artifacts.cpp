// SPDX-License-Identifier: Apache-2.0
// Optimus's flat list: one text per plugin, as its downloader understands them. What it does and we cannot honour is a
// mistake with its line, never a guess.
#include <algorithm>
#include <map>
#include <optional>

#include "plugin/config/paths.hpp"
#include "plugin/config/reader.hpp"
#include "plugin/fetch/address.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin::config {
namespace {

using yaml::Document;

/// One text taken apart: FORCED::SOURCE//SUBFOLDER?QUERY#FRAGMENT
struct Artifact {
  std::string forced;
  std::string source;
  std::string subfolder;
  std::map<std::string, std::string> query;
  std::string fragment;
};

/// What is wrong and how to mend it.
struct Mistake {
  std::string message;
  std::string hint = {};
};

Artifact take_apart(std::string text) {
  Artifact out;
  if (const auto colons = text.find("::"); colons != std::string::npos) {
    out.forced = text::lower(text.substr(0, colons));
    text.erase(0, colons + 2);
  }
  if (const auto hash = text.find('#'); hash != std::string::npos) {
    out.fragment = text.substr(hash + 1);
    text.resize(hash);
  }
  if (const auto question = text.find('?'); question != std::string::npos) {
    for (const std::string& pair : text::split(text.substr(question + 1), '&')) {
      const auto equals = pair.find('=');
      out.query[text::lower(pair.substr(0, equals))] = equals == std::string::npos ? "" : pair.substr(equals + 1);
    }
    text.resize(question);
  }
  const auto scheme = text.find("://");
  const auto sub = text.find("//", scheme == std::string::npos ? 0 : scheme + 3);
  if (sub != std::string::npos) {
    out.subfolder = text.substr(sub + 2);
    text.resize(sub);
  }
  out.source = std::move(text);
  return out;
}

std::string without_scheme(const std::string& url) {
  const auto scheme = url.find("://");
  return scheme == std::string::npos ? url : url.substr(scheme + 3);
}

/// Take a query value out; what is left over at the end is a mistake.
std::string take(Artifact& artifact, const std::string& key) {
  const auto found = artifact.query.find(key);
  if (found == artifact.query.end()) {
    return {};
  }
  std::string value = found->second;
  artifact.query.erase(found);
  return value;
}

/// "a/b/c" -> "a/b", "c"
std::pair<std::string, std::string> split_last(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::make_pair(std::string(), path)
                                    : std::make_pair(path.substr(0, slash), path.substr(slash + 1));
}

struct Result {
  ProviderConfig provider;
  PluginEntry entry;
  std::optional<Mistake> mistake;
  bool secret = false;  ///< one stands in the text
};

void take_subfolder(Artifact& artifact, Result& result) {
  if (artifact.subfolder.empty()) {
    return;
  }
  if (artifact.subfolder.find_first_of("*?[") != std::string::npos) {
    result.mistake = {"a pattern after // is not understood here", "name one folder, or use `include`"};
    return;
  }
  while (artifact.subfolder.ends_with('/')) {
    artifact.subfolder.pop_back();
  }
  result.entry.include = {artifact.subfolder + "/**"};
  result.entry.strip_components = static_cast<unsigned>(text::split(artifact.subfolder, '/').size());
}

void read_http(Artifact& artifact, Result& result) {
  const auto [folder, file] = split_last(artifact.source);
  if (file.empty() || without_scheme(folder).empty()) {
    result.mistake = {"an address that ends with '/' would be asked for a redirect to somewhere else",
                      "give the address of the file itself"};
    return;
  }
  result.provider.kind = ProviderKind::http;
  result.provider.url = folder;
  result.provider.name = redact_url(folder);
  result.entry.path = file;
  take_subfolder(artifact, result);
}

void read_file(const Artifact& given, Result& result) {
  Artifact artifact = given;
  if (artifact.source.starts_with("file://")) {
    artifact.source.erase(0, std::string("file://").size());
  }
  auto [folder, file] = split_last(artifact.source);
  if (file.empty() || file == "." || file == "..") {
    result.mistake = {"a whole folder cannot be installed from here", "pack it as .tar.gz or .zip and name that file"};
    return;
  }
  result.provider.kind = ProviderKind::file;
  result.provider.path = folder.empty() ? (artifact.source.starts_with('/') ? "/" : ".") : folder;
  result.provider.name = result.provider.path;
  result.entry.path = file;
  take_subfolder(artifact, result);
}

void read_git(Artifact& artifact, Result& result) {
  result.provider.kind = ProviderKind::git;
  result.provider.url = artifact.source;
  result.provider.ref = take(artifact, "ref");
  (void)take(artifact, "depth");  // only what is needed is fetched anyway
  if (const std::string key = take(artifact, "sshkey"); !key.empty()) {
    result.provider.auth.kind = Auth::Kind::ssh_key;
    result.provider.auth.secret.text = "base64:" + key;
    result.secret = true;
  }
  const std::string ref = result.provider.ref.empty() ? "" : "@" + result.provider.ref;
  result.provider.name = redact_url(artifact.source) + ref;
  if (result.provider.ref.starts_with("-")) {
    result.mistake = {"a branch, tag or commit does not begin with '-'"};
  }
  while (artifact.subfolder.ends_with('/')) {
    artifact.subfolder.pop_back();
  }
  result.entry.path = artifact.subfolder.empty() ? "." : artifact.subfolder;
  const std::string& named = artifact.subfolder.empty() ? artifact.source : artifact.subfolder;
  result.entry.name = name_from_path(path_of_file(ProviderKind::http, named));
}

/// BUCKET/KEY below the host: which of the host and path is the bucket depends on the style.
void read_s3(Artifact& artifact, Result& result) {
  const std::string rest = without_scheme(artifact.source);
  const auto slash = rest.find('/');
  std::string host = rest.substr(0, slash);
  std::string path = slash == std::string::npos ? "" : rest.substr(slash + 1);
  ProviderConfig& provider = result.provider;
  provider.kind = ProviderKind::s3;
  constexpr std::string_view cloud = ".amazonaws.com";
  if (host.ends_with(cloud)) {
    std::vector<std::string> labels = text::split(host.substr(0, host.size() - cloud.size()), '.');
    // s3, s3-REGION, s3.REGION; with BUCKET. before it the bucket is in the host
    const auto service = std::find_if(labels.begin(), labels.end(),
                                      [](const auto& one) { return one == "s3" || one.starts_with("s3-"); });
    if (service == labels.end()) {
      result.mistake = {"'" + host + "' is no S3 address"};
      return;
    }
    if (service->size() > 3) {
      provider.region = service->substr(3);
    } else if (service + 1 != labels.end()) {
      provider.region = *(service + 1);
    }
    provider.bucket = text::join({labels.begin(), service}, ".");
  } else {
    provider.endpoint = artifact.source.substr(0, artifact.source.size() - rest.size()) + host;
    provider.path_style = true;
  }
  if (provider.bucket.empty()) {
    const auto end = path.find('/');
    provider.bucket = path.substr(0, end);
    path = end == std::string::npos ? "" : path.substr(end + 1);
  }
  if (const std::string region = take(artifact, "region"); !region.empty()) {
    provider.region = region;
  }
  result.entry.pin = take(artifact, "version");
  provider.auth.name = take(artifact, "aws_profile");
  provider.auth.access_key.text = take(artifact, "aws_access_key_id");
  provider.auth.secret_key.text = take(artifact, "aws_access_key_secret");
  provider.auth.session_token.text = take(artifact, "aws_access_token");
  result.secret = !provider.auth.secret_key.empty();
  provider.auth.kind = Auth::Kind::sigv4;  // Optimus uses what the environment has
  provider.name = "s3://" + provider.bucket + (provider.endpoint.empty() ? "" : "@" + provider.endpoint);
  result.entry.path = path;
  if (provider.bucket.empty() || path.empty()) {
    result.mistake = {"bucket and key are missing in the S3 address", "write s3::https://s3.amazonaws.com/BUCKET/KEY"};
  }
  take_subfolder(artifact, result);
}

void read_gcs(Artifact& artifact, Result& result) {
  constexpr std::string_view api = "www.googleapis.com/storage/v1/";
  const std::string rest = without_scheme(artifact.source);
  const std::string path = rest.starts_with(api) ? rest.substr(api.size()) : "";
  const auto slash = path.find('/');
  if (slash == std::string::npos || slash + 1 == path.size()) {
    result.mistake = {"bucket and object are missing in the GCS address",
                      "write gcs::https://" + std::string(api) + "BUCKET/OBJECT"};
    return;
  }
  result.provider.kind = ProviderKind::gcs;
  result.provider.bucket = path.substr(0, slash);
  result.provider.name = "gcs://" + result.provider.bucket;
  result.entry.path = path.substr(slash + 1);
  result.entry.pin = artifact.fragment;
  artifact.fragment.clear();
  take_subfolder(artifact, result);
}

bool is_address(const std::string& source) { return source.starts_with("http://") || source.starts_with("https://"); }

/// Sources that Optimus recognizes without `git::`, `s3::` or `gcs::` before them.
std::string detect(const Artifact& artifact) {
  const std::string& source = artifact.source;
  if (!artifact.forced.empty()) {
    return artifact.forced;
  }
  const std::string rest = without_scheme(source);
  const bool bare = source.find("://") == std::string::npos;
  for (const std::string_view forge : {"github.com/", "gitlab.com/", "bitbucket.org/"}) {
    if (bare && rest.starts_with(forge)) {
      return "git";
    }
  }
  if (bare && source.find('@') != std::string::npos && source.find(':') != std::string::npos) {
    return "git";
  }
  if (bare && rest.substr(0, rest.find('/')).ends_with(".amazonaws.com")) {
    return "s3";
  }
  if (bare && rest.starts_with("www.googleapis.com/")) {
    return "gcs";
  }
  const auto scheme = source.find("://");
  return scheme == std::string::npos ? "file" : text::lower(source.substr(0, scheme));
}

/// github.com/o/r/sub -> https://github.com/o/r and sub
void complete_forge(Artifact& artifact) {
  if (artifact.source.find("://") != std::string::npos || artifact.source.find('@') != std::string::npos) {
    return;
  }
  constexpr std::size_t host_owner_repository = 3;
  std::vector<std::string> parts = text::split(artifact.source, '/');
  if (parts.size() > host_owner_repository) {
    const std::string below = text::join({parts.begin() + host_owner_repository, parts.end()}, "/");
    artifact.subfolder = artifact.subfolder.empty() ? below : below + "/" + artifact.subfolder;
    parts.resize(host_owner_repository);
  }
  artifact.source = "https://" + text::join(parts, "/");
  if (!artifact.source.ends_with(".git")) {
    artifact.source += ".git";
  }
}

void read_checksum(Artifact& artifact, Result& result) {
  std::string checksum = take(artifact, "checksum");
  if (checksum.empty()) {
    return;
  }
  constexpr std::size_t digits = 64;
  if (checksum.starts_with("file:")) {
    result.mistake = {"a checksum from another file is not fetched", "write ?checksum=sha256:HEX"};
    return;
  }
  if (checksum.starts_with("sha256:")) {
    checksum.erase(0, checksum.find(':') + 1);
  }
  checksum = text::lower(checksum);
  if (checksum.size() != digits || checksum.find_first_not_of("0123456789abcdef") != std::string::npos) {
    result.mistake = {"only SHA-256 checksums are checked", "write ?checksum=sha256:HEX with 64 digits"};
    return;
  }
  result.entry.sha256[""] = checksum;
}

void read_archive_query(Artifact& artifact, Result& result) {
  using Archive = PluginEntry::Archive;
  static const std::map<std::string, Archive> kinds = {{"false", Archive::none},
                                                       {"zip", Archive::zip},
                                                       {"tar.gz", Archive::tar_gz},
                                                       {"tgz", Archive::tar_gz},
                                                       {"tar", Archive::tar}};
  const std::string kind = text::lower(take(artifact, "archive"));
  if (kind.empty()) {
    return;
  }
  const auto found = kinds.find(kind);
  // Other kinds are told by their first bytes.
  result.entry.archive = found == kinds.end() ? Archive::automatic : found->second;
}

void read_source(Artifact& artifact, Result& result) {
  const std::string kind = detect(artifact);
  if (kind == "http" || kind == "https") {
    read_http(artifact, result);
  } else if (kind == "file") {
    if (is_address(artifact.source)) {
      result.mistake = {"file:: and a web address exclude each other"};
    } else {
      read_file(artifact, result);
    }
  } else if (kind == "git" || kind == "ssh") {
    complete_forge(artifact);
    read_git(artifact, result);
  } else if (kind == "s3") {
    read_s3(artifact, result);
  } else if (kind == "gcs") {
    read_gcs(artifact, result);
  } else if (kind == "hg") {
    result.mistake = {"Mercurial repositories are not supported", "use git, or an archive over https"};
  } else {
    result.mistake = {"there is no source of kind '" + kind + "'", "there are http(s), git, gcs, s3 and files"};
  }
}

}  // namespace

void read_artifact(Document& document, const YAML::Node& node, Config& config) {
  const SourceLocation where = document.where(node.Mark(), node.IsScalar() ? node.Scalar().size() : 1);
  if (!node.IsScalar() || text::trim(node.Scalar()).empty()) {
    document.error(where, "an artifact is one text, such as https://example.com/plugin.tar.gz");
    return;
  }
  Artifact artifact = take_apart(std::string(text::trim(node.Scalar())));
  Result result;
  result.entry.where = where;
  result.provider.where = where;
  read_checksum(artifact, result);
  read_archive_query(artifact, result);
  if (!result.mistake) {
    read_source(artifact, result);
  }
  if (!result.mistake && artifact.query.contains("filename")) {
    result.mistake = {"?filename= cannot be honoured", "use the list `plugins` with a `name`"};
  } else if (!result.mistake && !artifact.query.empty()) {
    // A query that we do not know belongs to the address (a signed one, for example).
    if (result.provider.kind != ProviderKind::http) {
      result.mistake = {"there is no option '" + artifact.query.begin()->first + "' for this kind of source"};
    }
    char separator = '?';
    for (const auto& [key, value] : artifact.query) {
      result.entry.path += separator + key + "=" + value;
      separator = '&';
    }
  }
  const UrlParts url = split_url(result.provider.url);
  if (!result.mistake && url.scheme == "http" && !is_loopback(url.host)) {
    result.mistake = {"http:// to another machine can be read and changed on its way",
                      "use https://, or the list `providers` with `insecure: true`"};
  }
  if (result.mistake) {
    document.error(where, result.mistake->message, result.mistake->hint);
    return;
  }
  if (result.secret || url.user_info) {
    document.warning(where, "a secret stands in the file, readable for everybody who can read it",
                     "use the list `providers` with env:NAME or file:PATH");
  }
  const auto known = std::find_if(config.providers.begin(), config.providers.end(),
                                  [&](const ProviderConfig& one) { return one.name == result.provider.name; });
  if (known == config.providers.end()) {
    config.providers.push_back(result.provider);
  }
  result.entry.provider = result.provider.name;
  if (result.entry.name.empty()) {
    result.entry.name = name_from_path(path_of_file(result.provider.kind, result.entry.path));
  }
  check_plugin_name(document, where, result.entry.name, config, "use the list `plugins` with a `name`");
  config.plugins.push_back(std::move(result.entry));
}

}  // namespace vdk::plugin::config
