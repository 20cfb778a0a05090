// SPDX-License-Identifier: Apache-2.0
#include "control/server/auth_keys.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "vdk/core/error.hpp"
#include "vdk/core/http.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control::rest {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto k_fresh = 10min;
constexpr auto k_patience = 5s;  ///< of a request with an unknown key
constexpr int k_most_waiting = 4;
// Unknown keys make us fetch: so often at once, and then once in this time.
constexpr double k_fetches = 6;
constexpr auto k_refill = 10s;

Error provider_error(const std::string& address, const std::string& why) {
  return {ErrorKind::platform,
          {"cannot fetch the keys of the login provider", address + ": " + why,
           "Logins are checked with the last keys.", "Check the provider and the keys of security.oauth2."}};
}

std::string get(const std::string& address, const std::atomic<bool>& cancelled) {
  http::ClientOptions options;
  options.connect_timeout = 5s;
  options.total_timeout = 10s;
  options.max_body = 1UL << 20U;
  options.cancelled = &cancelled;
  const auto client = http::make_client(options);
  http::Response response =
      client->send({.method = "GET", .url = address, .headers = {{"Accept", "application/json"}}, .body = {}});
  if (response.status != 200) {
    throw provider_error(address, "it answers with status " + std::to_string(response.status));
  }
  return std::move(response.body);
}

}  // namespace

KeyRing::KeyRing(std::string name, Fetch fetch)
    : m_name(std::move(name)),
      m_fetch(std::move(fetch)),
      m_refilled(SteadyClock::now()),
      m_budget(k_fetches),
      m_thread([this] { work(); }) {}

KeyRing::~KeyRing() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_wake.notify_all();
  m_done.notify_all();
  m_thread.join();
}

bool KeyRing::may_fetch() {
  const auto now = SteadyClock::now();
  m_budget = std::min(k_fetches, m_budget + std::chrono::duration<double>(now - m_refilled) / k_refill);
  m_refilled = now;
  if (m_budget < 1) {
    return false;
  }
  m_budget -= 1;
  return true;
}

std::shared_ptr<const KeySet> KeyRing::keys_for(const std::string& key_id) {
  std::unique_lock lock(m_mutex);
  const auto known = [&] {
    return m_keys && (key_id.empty() ? !m_keys->empty()
                                     : std::any_of(m_keys->begin(), m_keys->end(),
                                                   [&](const Key& key) { return key.id == key_id; }));
  };
  if (known()) {
    if (SteadyClock::now() - m_fetched > k_fresh && !m_wanted && may_fetch()) {
      m_wanted = true;
      m_wake.notify_one();
    }
    return m_keys;
  }
  if (!m_wanted) {
    if (!may_fetch()) {
      return m_failed ? nullptr : m_keys;
    }
    m_wanted = true;
    m_wake.notify_one();
  }
  if (m_waiting >= k_most_waiting) {
    return nullptr;
  }
  ++m_waiting;
  const auto round = m_rounds;
  const bool answered = m_done.wait_for(lock, k_patience, [&] { return m_stop || m_rounds != round; });
  --m_waiting;
  return known() || (answered && !m_failed) ? m_keys : nullptr;
}

void KeyRing::work() {
  std::unique_lock lock(m_mutex);
  while (true) {
    m_wake.wait(lock, [&] { return m_stop || m_wanted; });
    if (m_stop) {
      return;
    }
    lock.unlock();
    std::shared_ptr<const KeySet> keys;
    std::string problem;
    try {
      keys = std::make_shared<const KeySet>(m_fetch(m_stop));
    } catch (const std::exception& error) {
      problem = error.what();
    }
    if (!keys && !m_stop) {
      log::warning("The keys of " + m_name + " cannot be fetched: " + problem);
    }
    lock.lock();
    m_failed = !keys;
    if (keys) {
      m_keys = std::move(keys);
    }
    m_fetched = SteadyClock::now();  // also after a failure: not each request tries again
    m_wanted = false;
    ++m_rounds;
    m_done.notify_all();
  }
}

KeyRing::Fetch fetch_keys(std::string uri) {
  return [uri = std::move(uri)](const std::atomic<bool>& cancelled) { return read_key_set(get(uri, cancelled)); };
}

KeyRing::Fetch discover_keys(std::string issuer) {
  return [issuer = std::move(issuer)](const std::atomic<bool>& cancelled) {
    const std::string address =
        (issuer.ends_with('/') ? issuer.substr(0, issuer.size() - 1) : issuer) + "/.well-known/openid-configuration";
    const auto json = nlohmann::json::parse(get(address, cancelled), nullptr, false);
    const auto text = [&](const char* name) {
      const auto found = json.is_object() ? json.find(name) : json.end();
      return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    if (text("issuer") != issuer) {
      throw provider_error(address, "it is the document of another issuer");
    }
    const std::string uri = text("jwks_uri");
    if (!uri.starts_with("https://") && !(uri.starts_with("http://") && issuer.starts_with("http://"))) {
      throw provider_error(address, "jwks_uri is no https address");
    }
    return read_key_set(get(uri, cancelled));
  };
}

}  // namespace vdk::control::rest
