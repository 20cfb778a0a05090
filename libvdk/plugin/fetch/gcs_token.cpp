// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/gcs_token.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "plugin/fetch/address.hpp"
#include "vdk/core/base64.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

using Json = nlohmann::json;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string base64url(std::string_view bytes) {
  std::string text = text::replace_all(text::replace_all(base64::encode(bytes), "+", "-"), "/", "_");
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

Key read_key(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                         BIO_free);
  // Without the function OpenSSL would ask a terminal for the password of an encrypted key.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  return {PEM_read_bio_PrivateKey(memory.get(), nullptr, no_password, nullptr), EVP_PKEY_free};
}

std::string sign(const Key& key, const std::string& message) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::size_t length = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::string signature;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestSign(context.get(), nullptr, &length, bytes, message.size()) == 1) {
    signature.resize(length);
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, bytes,
                       message.size()) == 1) {
      signature.resize(length);
      return signature;
    }
  }
  return {};
}

/// The configuration has the JSON itself or, as the RFC wants it, its base64.
Json read_account(const std::string& secret) {
  if (text::trim(secret).starts_with('{')) {
    return Json::parse(secret, nullptr, false);
  }
  const auto decoded = base64::decode(text::trim(secret));
  return decoded ? Json::parse(*decoded, nullptr, false) : Json();
}

/// The account's file decides where a signed statement of its key goes: only Google's own hosts, else somebody who can
/// change the file gets tokens. With another endpoint (an emulator) the configuration has already chosen its hosts.
bool is_token_address(const Address& address, const ProviderConfig& config) {
  if (!config.endpoint.empty()) {
    return address.scheme == "https" || (address.scheme == "http" && (config.insecure || is_loopback(address.host)));
  }
  return address.scheme == "https" && address.login.empty() && address.origin == address.host &&
         (address.host.ends_with(".googleapis.com") || address.host == "accounts.google.com");
}

}  // namespace

GcsAccount::GcsAccount(const ProviderConfig& config) : m_config(config) {
  const Json account = read_account(resolve(config.auth.secret));
  if (!account.is_object()) {
    throw provider_error(config, "its service account is neither JSON nor the base64 of JSON",
                         "Give the key file of the account, e.g. as file:PATH or env:NAME.");
  }
  m_email = text_of(account, "client_email");
  m_key = text_of(account, "private_key");
  m_key_id = text_of(account, "private_key_id");
  m_token_uri = text_of(account, "token_uri");
  std::vector<std::string> missing;
  for (const char* name : {"client_email", "private_key", "token_uri"}) {
    if (text_of(account, name).empty()) {
      missing.emplace_back(name);
    }
  }
  if (text_of(account, "type") != "service_account" || !missing.empty()) {
    throw provider_error(config,
                         missing.empty() ? "the type in its service account is not service_account"
                                         : "its service account has no " + text::quoted_list(missing),
                         "Download the JSON key of a service account again.");
  }
  if (!is_token_address(parse_address(m_token_uri), config)) {
    throw provider_error(
        config,
        "the token_uri of its service account, '" + redact_url(m_token_uri) + "', is none of Google's https addresses",
        "Take the file as it was downloaded; for an emulator set endpoint.");
  }
  if (!read_key(m_key)) {
    throw provider_error(config, "the private_key of its service account cannot be read", "Download the key again.");
  }
}

std::string GcsAccount::assertion() const {
  const auto now = static_cast<long long>(std::time(nullptr));
  Json header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!m_key_id.empty()) {
    header["kid"] = m_key_id;
  }
  const Json claims = {{"iss", m_email},
                       {"scope", "https://www.googleapis.com/auth/devstorage.read_only"},
                       {"aud", m_token_uri},
                       {"iat", now},
                       {"exp", now + 3600}};
  const std::string message = base64url(header.dump()) + "." + base64url(claims.dump());
  const std::string signature = sign(read_key(m_key), message);
  if (signature.empty()) {
    throw provider_error(m_config, "the private_key of its service account cannot sign", "It has to be an RSA key.");
  }
  return message + "." + base64url(signature);
}

std::string GcsAccount::token(Web& web) {
  const auto now = std::chrono::steady_clock::now();
  if (!m_token.empty() && now < m_expires) {
    return m_token;
  }
  http::Request request{.method = "POST", .url = m_token_uri};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.body =
      "grant_type=" + http::encode("urn:ietf:params:oauth:grant-type:jwt-bearer") + "&assertion=" + assertion();
  const http::Response answer = web.send(request);
  const Json body = Json::parse(answer.body, nullptr, false);
  m_token = answer.status == 200 && body.is_object() ? text_of(body, "access_token") : std::string();
  if (m_token.empty()) {
    const std::string said = body.is_object() ? text_of(body, "error_description").substr(0, 200) : std::string();
    throw Error(answer.status >= 500 ? ErrorKind::unreachable : ErrorKind::login,
                {.what = "no access token for the plugin provider '" + m_config.name + "'",
                 .why = redact_url(m_token_uri) + " answered " + std::to_string(answer.status) +
                        (said.empty() ? "" : ": " + said),
                 .consequences = "Nothing was fetched from it.",
                 .countermeasures = "Check that the service account's key is still valid, and this machine's clock."});
  }
  const auto lifetime = body.find("expires_in");
  const long seconds = lifetime != body.end() && lifetime->is_number() ? lifetime->get<long>() : 600;
  m_expires = now + std::chrono::seconds(std::clamp(seconds, 60L, 3600L) - 60);
  return m_token;
}

}  // namespace vdk::plugin
