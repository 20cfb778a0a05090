// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "control/server/metrics.hpp"
#include "vdk/control/server.hpp"

namespace vdk::control::rest {

class Tls;

/// One whole request: everything has arrived, so that no worker ever waits for a client.
struct Exchange {
  std::string head;  ///< request line and headers with the empty line, cleaned of what the transport itself answers
  std::string body;  ///< without the chunk framing
  std::string peer;  ///< address of the other side, without the port
};

/// One whole answer as it goes over the wire.
struct Reply {
  std::string bytes;
  bool close = false;
};

/// Moves bytes between many connections and few workers. One thread (that of `run`) reads and writes all sockets
/// without ever waiting, enforces deadlines and limits, and hands complete requests to the workers. A slow client so
/// costs a buffer, never a worker.
class Reactor {
 public:
  using Answer = std::function<Reply(Exchange&)>;
  /// True for a request line that is answered even under overload, by workers of its own.
  using IsExpress = std::function<bool(std::string_view request_line)>;

  Reactor(ServerLimits limits, int workers, Answer answer, IsExpress is_express, Metrics& metrics);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  int listen(const std::string& host, int port);
  /// Encrypt the connections that come from now on. From any thread; not from plain text to encrypted while it runs.
  void use_tls(std::shared_ptr<const Tls> tls);
  void run();
  void stop();

 private:
  struct Connection;
  /// Requests that wait for one sort of workers.
  struct Lane {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::pair<std::uint64_t, Exchange>> queue;
    bool closed = false;
  };

  void accept_connections();
  void advance(Connection& connection);
  bool fill(Connection& connection);
  void shake_hands(Connection& connection);
  [[nodiscard]] std::shared_ptr<const Tls> tls() const;
  bool parse(Connection& connection);
  bool parse_head(Connection& connection);
  bool parse_body(Connection& connection);
  void dispatch(Connection& connection);
  void refuse(Connection& connection, int status, const std::string& why);
  void flush(Connection& connection);
  void drain(Connection& connection);
  void take_replies();
  void expire();
  void begin_stop();
  [[nodiscard]] bool busy(const Connection& connection) const;
  bool evict_idle();
  void drop(std::uint64_t id);
  void work(Lane& lane);
  void start_threads();

  ServerLimits m_limits;
  int m_workers;
  Answer m_answer;
  IsExpress m_is_express;
  Metrics& m_metrics;
  int m_listener = -1;
  int m_epoll = -1;
  int m_wake = -1;
  mutable std::mutex m_tls_mutex;
  std::shared_ptr<const Tls> m_tls;  ///< null = plain text
  std::atomic<bool> m_stop{false};
  bool m_stopping = false;
  std::uint64_t m_next_id = 2;  ///< 0 = listener, 1 = wake-up
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> m_connections;
  std::vector<std::unique_ptr<Connection>> m_graveyard;  ///< closed in this turn
  std::vector<std::uint64_t> m_again;                    ///< connections with more to read than one turn allows
  std::size_t m_buffered = 0;                            ///< bytes of bodies that are arriving or waiting
  int m_busy = 0;                                        ///< requests that are queued or being answered
  int m_express_busy = 0;
  Lane m_lane;
  Lane m_express_lane;
  std::mutex m_reply_mutex;
  std::vector<std::pair<std::uint64_t, Reply>> m_replies;
  std::vector<std::thread> m_threads;
};

/// A complete error answer made without a worker.
[[nodiscard]] std::string error_reply(int status, const std::string& why);

}  // namespace vdk::control::rest
