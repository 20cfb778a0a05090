// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "control/server/jwks.hpp"

namespace vdk::control::rest {

/// The present keys of one provider. A thread of its own fetches them, so that requests hardly ever wait: only a token
/// with an unknown key makes a few of them wait for a moment. While the provider is away the last keys serve.
class KeyRing {
 public:
  using Fetch = std::function<KeySet(const std::atomic<bool>& cancelled)>;
  KeyRing(std::string name, Fetch fetch);
  ~KeyRing();
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

  /// The keys, fetched again when none has this id. Null while it cannot be said whether the key exists.
  [[nodiscard]] std::shared_ptr<const KeySet> keys_for(const std::string& key_id);

 private:
  void work();
  [[nodiscard]] bool may_fetch();

  std::string m_name;
  Fetch m_fetch;
  std::atomic<bool> m_stop{false};
  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::condition_variable m_done;
  std::shared_ptr<const KeySet> m_keys;
  std::chrono::steady_clock::time_point m_fetched;
  std::chrono::steady_clock::time_point m_refilled;
  double m_budget;
  bool m_wanted = true;  ///< the first keys are fetched at once
  bool m_failed = false;
  unsigned long m_rounds = 0;
  int m_waiting = 0;
  std::thread m_thread;
};

/// Keys by OpenID discovery from the issuer.
[[nodiscard]] KeyRing::Fetch discover_keys(std::string issuer);
/// Keys from a known address.
[[nodiscard]] KeyRing::Fetch fetch_keys(std::string uri);

}  // namespace vdk::control::rest
