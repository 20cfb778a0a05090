// SPDX-License-Identifier: Apache-2.0
#include "vdk/auth/credentials.hpp"

#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "auth/keyring.hpp"
#include "vdk/config/settings.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace vdk::auth {
namespace {

using Json = nlohmann::ordered_json;
using Field = std::pair<const char*, std::string Credentials::*>;

constexpr Field original_fields[] = {
    {"authorization_url", &Credentials::authorization_url},
    {"client_id", &Credentials::client_id},
    {"api_token_authorization_url", &Credentials::api_token_authorization_url},
    {"auth_type", &Credentials::auth_type},
};
constexpr Field secret_fields[] = {
    {"refresh_token", &Credentials::refresh_token},
    {"access_token", &Credentials::access_token},
    {"client_secret", &Credentials::client_secret},
    {"api_token", &Credentials::api_token},
};
constexpr Field own_fields[] = {
    {"flow", &Credentials::flow},
    {"issuer", &Credentials::issuer},
    {"revocation_url", &Credentials::revocation_url},
    {"scope", &Credentials::scope},
    {"audience", &Credentials::audience},
    {"resource", &Credentials::resource},
    {"user", &Credentials::user},
    {"environment_digest", &Credentials::environment_digest},
};

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

template <typename Fields>
void read_fields(const Json& object, const Fields& fields, Credentials& credentials) {
  for (const auto& [key, member] : fields) {
    credentials.*member = text_of(object, key);
  }
}

/// The original has null for what is not there.
template <typename Fields>
void write_fields(const Credentials& credentials, const Fields& fields, Json& object) {
  for (const auto& [key, member] : fields) {
    object[key] = (credentials.*member).empty() ? Json() : Json(credentials.*member);
  }
}

/// The original truncates and writes: what is read in between is no JSON, and is there a moment later.
std::optional<Json> read_object(const std::filesystem::path& path) {
  constexpr int attempts = 5;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const auto content = files::read_if_exists(path);
    if (!content) {
      return std::nullopt;
    }
    Json object = Json::parse(*content, nullptr, false);
    if (object.is_object()) {
      return object;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw Error(ErrorKind::configuration, {"cannot read the login in '" + path.string() + "'", "it is not a JSON object",
                                         "nothing was sent", "run `vdk logout`, then `vdk login`"});
}

}  // namespace

std::string to_string(Flow flow) {
  switch (flow) {
    case Flow::api_token:
      return "api_token";
    case Flow::authorization_code:
      return "authorization_code";
    case Flow::device_code:
      return "device_code";
    case Flow::client_credentials:
      return "client_credentials";
    case Flow::given_token:
      return "given_token";
  }
  return {};
}

CredentialFile::CredentialFile() : m_path(config::internal_directory() / "vdk-cred.json") {}

std::filesystem::path CredentialFile::lock_path() const { return m_path.parent_path() / "vdk-cred.lock"; }

std::optional<Credentials> CredentialFile::load() const {
  const auto object = read_object(m_path);
  if (!object) {
    return std::nullopt;
  }
  protect_memory();
  Credentials credentials;
  read_fields(*object, original_fields, credentials);
  read_fields(*object, own_fields, credentials);
  const auto number = [&](const char* key) {
    const auto found = object->find(key);
    return found != object->end() && found->is_number() ? found->get<double>() : 0;
  };
  credentials.access_token_expiration_time = number("access_token_expiration_time");
  credentials.lifetime = number("access_token_lifetime");
  credentials.secret_in_body = object->value("secret_in_body", false);
  credentials.expiry_known = object->value("expiry_known", true);
  credentials.keyring = text_of(*object, "store") == "keyring";
  Json secrets = *object;
  if (credentials.keyring) {
    const auto stored = keyring::load(m_path.string());
    secrets = Json::parse(stored.value_or("{}"), nullptr, false);
    if (!secrets.is_object()) {
      secrets = Json::object();
    }
  }
  read_fields(secrets, secret_fields, credentials);
  return credentials;
}

void CredentialFile::save(const Credentials& credentials) const {
  protect_memory();
  Json object = Json::object();
  try {
    object = read_object(m_path).value_or(Json::object());
  } catch (const Error&) {  // what cannot be read is replaced
  }
  const bool leaves_keyring = !credentials.keyring && text_of(object, "store") == "keyring";
  write_fields(credentials, original_fields, object);
  Json secrets = Json::object();
  write_fields(credentials, secret_fields, secrets);
  for (const auto& [key, value] : secrets.items()) {
    object[key] = credentials.keyring ? Json() : value;
  }
  // An empty secret tells the original that this is a client without one.
  if (!credentials.keyring && credentials.auth_type == "credentials" && credentials.client_secret.empty()) {
    object["client_secret"] = "";
  }
  object["access_token_expiration_time"] = credentials.access_token_expiration_time;
  object["access_token_lifetime"] = credentials.lifetime;
  write_fields(credentials, own_fields, object);
  object["secret_in_body"] = credentials.secret_in_body;
  object["expiry_known"] = credentials.expiry_known;
  object["store"] = credentials.keyring ? "keyring" : "file";
  if (credentials.keyring) {
    keyring::store(m_path.string(), secrets.dump());
  }
  files::make_private_directory(m_path.parent_path());
  files::write_atomic(m_path, object.dump() + "\n", 0600);
  if (leaves_keyring) {
    try {
      keyring::erase(m_path.string());
    } catch (const Error&) {  // the keyring is gone, and the entry with it
    }
  }
}

bool CredentialFile::erase() const {
  bool in_keyring = false;
  try {
    const auto object = read_object(m_path);
    in_keyring = object && text_of(*object, "store") == "keyring";
  } catch (const Error&) {  // deleted all the same
  }
  std::error_code failed;
  const bool removed = std::filesystem::remove(m_path, failed);
  if (failed) {
    throw system_error("cannot delete '" + m_path.string() + "'", failed.value());
  }
  if (in_keyring) {
    keyring::erase(m_path.string());
  }
  return removed;
}

}  // namespace vdk::auth
