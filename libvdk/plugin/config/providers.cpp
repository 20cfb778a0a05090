// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>

#include "plugin/config/reader.hpp"
#include "vdk/core/http.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin::config {
namespace {

using yaml::Document;
using yaml::Section;

const std::vector<std::string> k_provider_keys = {
    "type",       "name",     "url",     "bucket",  "prefix",  "path",         "endpoint", "region",         "ref",
    "path_style", "insecure", "timeout", "retries", "ca_file", "trusted_keys", "auth",     "service_account"};

const std::vector<std::string>& keys_of(ProviderKind kind) {
  static const std::map<ProviderKind, std::vector<std::string>> keys = {
      {ProviderKind::http, {"url", "insecure", "timeout", "retries", "ca_file", "auth"}},
      {ProviderKind::gcs,
       {"bucket", "prefix", "endpoint", "insecure", "timeout", "retries", "ca_file", "auth", "service_account"}},
      {ProviderKind::s3,
       {"bucket", "prefix", "endpoint", "region", "path_style", "insecure", "timeout", "retries", "ca_file", "auth"}},
      {ProviderKind::file, {"path"}},
      {ProviderKind::git, {"url", "ref", "insecure", "timeout", "retries", "ca_file", "auth"}},
  };
  return keys.at(kind);
}

struct AuthForm {
  std::string_view name;
  Auth::Kind kind;
  std::vector<std::string> keys;      ///< besides `type`
  std::vector<std::string> required;  ///< of them
};

const std::vector<AuthForm>& auth_forms() {
  static const std::vector<AuthForm> forms = {
      {"none", Auth::Kind::none, {}, {}},
      {"bearer", Auth::Kind::bearer, {"token"}, {"token"}},
      {"basic", Auth::Kind::basic, {"user", "password"}, {"user", "password"}},
      {"header", Auth::Kind::header, {"name", "value"}, {"name", "value"}},
      {"netrc", Auth::Kind::netrc, {"file"}, {}},
      {"service_account", Auth::Kind::service_account, {"key"}, {"key"}},
      {"sigv4", Auth::Kind::sigv4, {"access_key", "secret_key", "session_token", "profile"}, {}},
      {"ssh_key", Auth::Kind::ssh_key, {"key"}, {"key"}},
  };
  return forms;
}

bool suits(ProviderKind provider, Auth::Kind auth) {
  using Kind = Auth::Kind;
  switch (auth) {
    case Kind::none:
      return true;
    case Kind::bearer:
      return provider == ProviderKind::http || provider == ProviderKind::gcs || provider == ProviderKind::git;
    case Kind::basic:
    case Kind::header:
    case Kind::netrc:
      return provider == ProviderKind::http || provider == ProviderKind::git;
    case Kind::service_account:
      return provider == ProviderKind::gcs;
    case Kind::sigv4:
      return provider == ProviderKind::s3;
    case Kind::ssh_key:
      return provider == ProviderKind::git;
  }
  return false;
}

std::vector<std::string> auths_of(ProviderKind provider) {
  std::vector<std::string> names;
  for (const AuthForm& form : auth_forms()) {
    if (suits(provider, form.kind)) {
      names.emplace_back(form.name);
    }
  }
  return names;
}

/// `secret` is false for a value that need not be hidden, such as an access key's id.
SecretReference reference(Section& section, const std::string& key, const Document& document, bool secret = true) {
  SecretReference out{section.text(key), document.file().parent_path()};
  if (out.text == "env:" || out.text == "file:" || out.text == "base64:") {
    section.error(key, "nothing stands after '" + out.text + "'");
  }
  const bool hidden = out.text.starts_with("env:") || out.text.starts_with("file:");
  if (secret && !out.empty() && !hidden) {
    section.warning(key, "a secret stands in the file, readable for everybody who can read it (base64 hides nothing)",
                    "write env:NAME or file:PATH");
  }
  return out;
}

void read_auth_section(Document& document, const YAML::Node& node, ProviderConfig& provider) {
  std::vector<std::string> known = {"type"};
  std::vector<std::string> types;
  for (const AuthForm& form : auth_forms()) {
    types.emplace_back(form.name);
    for (const std::string& key : form.keys) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        known.push_back(key);
      }
    }
  }
  Section section(document, node, "the auth section", known);
  const std::string type = section.required("type", auths_of(provider.kind).back());
  if (type.empty()) {
    return;
  }
  const auto form = std::find_if(auth_forms().begin(), auth_forms().end(),
                                 [&](const AuthForm& one) { return one.name == text::lower(type); });
  if (form == auth_forms().end()) {
    const auto near = text::nearest(type, types);
    section.error("type", "there is no auth type '" + type + "'",
                  near ? "did you mean '" + *near + "'?" : "there are " + text::quoted_list(types));
    return;
  }
  if (!suits(provider.kind, form->kind)) {
    section.error("type",
                  "a provider of type " + std::string(to_string(provider.kind)) + " has no auth type '" + type + "'",
                  "it has " + text::quoted_list(auths_of(provider.kind)));
    return;
  }
  for (const auto& [key, entry] : section.entries()) {
    if (key != "type" && std::find(form->keys.begin(), form->keys.end(), key) == form->keys.end()) {
      document.error(entry.key, "'" + key + "' does not belong to auth type '" + type + "'",
                     form->keys.empty() ? "it has no keys" : "it has " + text::quoted_list(form->keys));
    }
  }
  for (const std::string& key : form->required) {
    (void)section.required(key, "env:NAME");
  }
  Auth& auth = provider.auth;
  auth.kind = form->kind;
  switch (auth.kind) {
    case Auth::Kind::none:
      break;
    case Auth::Kind::bearer:
      auth.secret = reference(section, "token", document);
      break;
    case Auth::Kind::basic:
      auth.name = section.text("user");
      auth.secret = reference(section, "password", document);
      break;
    case Auth::Kind::header:
      auth.name = section.text("name");
      auth.secret = reference(section, "value", document);
      if (auth.name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") !=
          std::string::npos) {
        section.error("name", "'" + auth.name + "' is no name of an HTTP header");
      }
      break;
    case Auth::Kind::netrc:
      auth.name = section.text("file");
      break;
    case Auth::Kind::service_account:
    case Auth::Kind::ssh_key:
      auth.secret = reference(section, "key", document);
      break;
    case Auth::Kind::sigv4:
      auth.name = section.text("profile");
      auth.access_key = reference(section, "access_key", document, false);
      auth.secret_key = reference(section, "secret_key", document);
      auth.session_token = reference(section, "session_token", document);
      if (auth.access_key.empty() != auth.secret_key.empty()) {
        section.error(auth.access_key.empty() ? "secret_key" : "access_key",
                      "'access_key' and 'secret_key' belong together", "give both or neither");
      }
      break;
  }
}

void read_auth(Document& document, Section& section, ProviderConfig& provider) {
  if (const auto* account = section.find("service_account"); account != nullptr) {
    provider.auth.kind = Auth::Kind::service_account;
    provider.auth.secret = reference(section, "service_account", document);
    if (section.find("auth") != nullptr) {
      section.error("auth", "'auth' and 'service_account' are two ways to say one thing", "keep one of the two");
    }
    return;
  }
  const auto* entry = section.find("auth");
  if (entry == nullptr) {
    return;
  }
  if (!entry->value.IsScalar()) {
    read_auth_section(document, entry->value, provider);
    return;
  }
  if (entry->value.Scalar().empty()) {
    return;
  }
  if (provider.kind == ProviderKind::s3) {
    section.error("auth", "the auth of an s3 provider is a section",
                  "write auth: {type: sigv4, access_key: env:NAME, secret_key: env:NAME}");
    return;
  }
  provider.auth.kind = provider.kind == ProviderKind::gcs ? Auth::Kind::service_account : Auth::Kind::bearer;
  provider.auth.secret = reference(section, "auth", document);
}

void check_url(Section& section, const ProviderConfig& provider, const std::string& key, const std::string& url) {
  if (url.empty()) {
    return;
  }
  const UrlParts parts = split_url(url);
  const bool git = provider.kind == ProviderKind::git;
  const bool known =
      parts.scheme == "https" || parts.scheme == "http" || (git && (parts.scheme == "ssh" || parts.scheme == "file"));
  if (!known) {
    section.error(key,
                  "'" + redact_url(url) + "' is no address that a provider of type " +
                      std::string(to_string(provider.kind)) + " can ask",
                  git ? "it begins with https://, ssh:// or file://" : "it begins with https://");
  } else if (parts.host.empty() && parts.scheme != "file") {
    section.error(key, "the address has no host");
  } else if (parts.scheme == "http" && !provider.insecure && !is_loopback(parts.host)) {
    section.error(key, "http:// to another machine can be read and changed on its way",
                  "use https://, or say `insecure: true` in this provider");
  }
  if (parts.user_info && !(git && parts.scheme == "ssh")) {
    section.warning(key, "a user name or password stands in the address", "use `auth` with env:NAME or file:PATH");
  }
}

void check_trusted_keys(Section& section, const ProviderConfig& provider) {
  constexpr std::size_t length = 56;  // base64 of algorithm, key id and key
  for (const std::string& key : provider.trusted_keys) {
    if (key.size() != length || !key.starts_with("RW") ||
        key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") !=
            std::string::npos) {
      section.error("trusted_keys", "'" + key + "' is no public key of minisign",
                    "it is the second line of the .pub file, 56 characters that begin with RW");
    }
  }
}

std::optional<ProviderKind> kind_of(const std::string& type) {
  static const std::map<std::string, ProviderKind> kinds = {
      {"http", ProviderKind::http},  {"https", ProviderKind::http}, {"url", ProviderKind::http},
      {"gcs", ProviderKind::gcs},    {"s3", ProviderKind::s3},      {"file", ProviderKind::file},
      {"local", ProviderKind::file}, {"git", ProviderKind::git}};
  const auto found = kinds.find(text::lower(type));
  return found == kinds.end() ? std::nullopt : std::optional(found->second);
}

void check_keys(Document& document, const Section& section, ProviderKind kind) {
  const auto& own = keys_of(kind);
  for (const auto& [key, entry] : section.entries()) {
    const bool common = key == "type" || key == "name" || key == "trusted_keys";
    if (!common && std::find(own.begin(), own.end(), key) == own.end()) {
      document.error(entry.key, "'" + key + "' means nothing to a provider of type " + std::string(to_string(kind)),
                     "it has " + text::quoted_list(own));
    }
  }
}

void read_place(Section& section, ProviderConfig& provider) {
  switch (provider.kind) {
    case ProviderKind::http:
      provider.url = section.required("url", "https://example.com/plugins");
      break;
    case ProviderKind::git:
      provider.url = section.required("url", "https://example.com/plugins.git");
      break;
    case ProviderKind::gcs:
    case ProviderKind::s3:
      provider.bucket = section.required("bucket", "my-plugins");
      break;
    case ProviderKind::file:
      provider.path = section.required("path", "./plugins");
      break;
  }
  provider.prefix = section.text("prefix");
  provider.endpoint = section.text("endpoint");
  provider.region = section.text("region", provider.region);
  provider.ref = section.text("ref");
  if (provider.ref.starts_with("-")) {
    section.error("ref", "a branch, tag or commit does not begin with '-'");
  }
  if (provider.bucket.find_first_of("/\\?#@ ") != std::string::npos) {
    section.error("bucket", "'" + provider.bucket + "' is no name of a bucket", "what follows it goes into 'prefix'");
  }
}

}  // namespace

UrlParts split_url(std::string_view url) {
  UrlParts parts;
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    const auto at = url.find('@');
    const auto colon = url.find(':');
    if (at != std::string_view::npos && colon != std::string_view::npos && at < colon) {
      parts.scheme = "ssh";  // git@host:path
      parts.host = text::lower(url.substr(at + 1, colon - at - 1));
    }
    return parts;
  }
  parts.scheme = text::lower(url.substr(0, scheme));
  std::string_view authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    parts.user_info = true;
    authority.remove_prefix(at + 1);
  }
  const auto bracket = authority.find(']');
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  parts.host = text::lower(authority.substr(0, colon));
  return parts;
}

bool is_loopback(std::string_view host) { return http::is_loopback(host); }

void read_provider(Document& document, const YAML::Node& node, std::vector<ProviderConfig>& providers) {
  constexpr int longest_seconds = 24 * 3600;
  constexpr int most_retries = 100;
  Section section(document, node, "a provider", k_provider_keys);
  ProviderConfig provider;
  provider.where = section.where();
  provider.name = section.required("name", "company");
  const bool taken =
      std::any_of(providers.begin(), providers.end(), [&](const auto& one) { return one.name == provider.name; });
  if (taken && !provider.name.empty()) {
    section.error("name", "there is a provider '" + provider.name + "' already", "give each its own name");
  }
  const std::string type = section.required("type", "http");
  const auto kind = kind_of(type);
  if (!kind && !type.empty()) {
    const std::vector<std::string> types = {"http", "gcs", "s3", "file", "git"};
    const auto near = text::nearest(text::lower(type), types);
    section.error("type", "there is no provider of type '" + type + "'",
                  near ? "did you mean '" + *near + "'?" : "there are " + text::quoted_list(types));
  }
  if (kind) {
    provider.kind = *kind;
    check_keys(document, section, *kind);
    read_place(section, provider);
    provider.path_style = section.flag("path_style", false);
    provider.insecure = section.flag("insecure", false);
    provider.timeout = std::chrono::seconds(section.integer("timeout", provider.timeout.count(), 1, longest_seconds));
    provider.retries = static_cast<int>(section.integer("retries", provider.retries, 0, most_retries));
    provider.ca_file = section.text("ca_file");
    if (!provider.ca_file.empty()) {
      provider.ca_file = (document.file().parent_path() / provider.ca_file).lexically_normal().string();
    }
    check_url(section, provider, "url", provider.url);
    check_url(section, provider, "endpoint", provider.endpoint);
    read_auth(document, section, provider);
  }
  provider.trusted_keys = section.texts("trusted_keys");
  check_trusted_keys(section, provider);
  providers.push_back(std::move(provider));  // with mistakes too: its name is known to the plugins
}

}  // namespace vdk::plugin::config
