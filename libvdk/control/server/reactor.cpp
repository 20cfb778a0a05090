// SPDX-License-Identifier: Apache-2.0
#include "control/server/reactor.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "control/server/connection.hpp"
#include "control/server/listener.hpp"
#include "control/server/tls.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control::rest {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t k_listener = 0;
constexpr std::uint64_t k_wake = 1;
constexpr std::size_t k_turn = 1UL << 20U;   ///< bytes that one connection may deliver before the others have a turn
constexpr std::size_t k_eager = 64UL << 10;  ///< bodies above are refused before they are sent when the server is busy
constexpr int k_max_express = 256;
constexpr int k_express_workers = 2;  ///< metrics of many jobs take a while, of which health must not have to wait
constexpr auto k_write_timeout = std::chrono::seconds(60);
constexpr auto k_drain_timeout = std::chrono::seconds(2);
constexpr auto k_stop_timeout = std::chrono::seconds(30);

void signal_event(int fd) {
  const std::uint64_t one = 1;
  (void)!::write(fd, &one, sizeof one);
}

void watch(int epoll, int fd, std::uint32_t events, std::uint64_t id) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
    throw system_error("cannot watch a socket", errno);
  }
}

/// OpenSSL writes to sockets without MSG_NOSIGNAL.
void ignore_broken_pipes() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

Reactor::Reactor(ServerLimits limits, int workers, Answer answer, IsExpress is_express, Metrics& metrics)
    : m_limits(limits),
      m_workers(workers),
      m_answer(std::move(answer)),
      m_is_express(std::move(is_express)),
      m_metrics(metrics),
      m_epoll(epoll_create1(EPOLL_CLOEXEC)),
      m_wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (m_epoll < 0 || m_wake < 0) {
    throw system_error("cannot prepare the server", errno);
  }
  watch(m_epoll, m_wake, EPOLLIN, k_wake);
}

Reactor::~Reactor() {
  for (Lane* lane : {&m_lane, &m_express_lane}) {
    const std::lock_guard lock(lane->mutex);
    lane->closed = true;
    lane->wake.notify_all();
  }
  for (std::thread& thread : m_threads) {
    thread.join();
  }
  m_graveyard.clear();
  m_connections.clear();
  for (const int fd : {m_listener, m_wake, m_epoll}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

int Reactor::listen(const std::string& host, int port) {
  allow_open_files(static_cast<std::size_t>(m_limits.max_connections) + 256);
  const auto [fd, bound] = open_listener(host, port);
  m_listener = fd;
  watch(m_epoll, m_listener, EPOLLIN, k_listener);
  return bound;
}

void Reactor::use_tls(std::shared_ptr<const Tls> tls) {
  const std::lock_guard lock(m_tls_mutex);
  m_tls = std::move(tls);
}

std::shared_ptr<const Tls> Reactor::tls() const {
  const std::lock_guard lock(m_tls_mutex);
  return m_tls;
}

void Reactor::start_threads() {
  for (int i = 0; i < m_workers; ++i) {
    m_threads.emplace_back([this] { work(m_lane); });
  }
  for (int i = 0; i < k_express_workers; ++i) {
    m_threads.emplace_back([this] { work(m_express_lane); });
  }
  m_metrics.workers = m_workers;
}

void Reactor::run() {
  start_threads();
  ignore_broken_pipes();
  auto next_expiry = SteadyClock::now();
  auto stop_by = SteadyClock::time_point::max();
  std::array<epoll_event, 128> events{};
  while (true) {
    const int wait = m_again.empty() ? 250 : 0;
    const int count = epoll_wait(m_epoll, events.data(), static_cast<int>(events.size()), wait);
    for (const std::uint64_t id : std::exchange(m_again, {})) {
      if (const auto found = m_connections.find(id); found != m_connections.end()) {
        advance(*found->second);
      }
    }
    for (int i = 0; i < count; ++i) {
      const auto id = events[static_cast<std::size_t>(i)].data.u64;
      if (id == k_listener) {
        accept_connections();
      } else if (id == k_wake) {
        std::uint64_t ignored = 0;
        (void)!::read(m_wake, &ignored, sizeof ignored);
        take_replies();
      } else if (const auto found = m_connections.find(id); found != m_connections.end()) {
        advance(*found->second);
      }
    }
    m_graveyard.clear();
    const auto now = SteadyClock::now();
    if (now >= next_expiry) {
      expire();
      next_expiry = now + std::chrono::milliseconds(200);
    }
    if (m_stop && !m_stopping) {
      begin_stop();
      stop_by = now + k_stop_timeout;
    }
    if (m_stopping && (m_connections.empty() || now > stop_by)) {
      return;
    }
  }
}

void Reactor::stop() {
  m_stop = true;
  signal_event(m_wake);
}

/// No new connections; those without a request in work are closed at once.
void Reactor::begin_stop() {
  m_stopping = true;
  ::close(std::exchange(m_listener, -1));
  std::vector<std::uint64_t> idle;
  for (const auto& [id, connection] : m_connections) {
    if (connection->phase < Phase::working) {
      idle.push_back(id);
    }
  }
  for (const std::uint64_t id : idle) {
    drop(id);
  }
}

void Reactor::accept_connections() {
  for (int turn = 0; turn < 64 && m_listener >= 0; ++turn) {
    const int fd = accept4(m_listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE) {
        // The backlog stays readable: give up an idle connection instead of spinning.
        if (!evict_idle()) {
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
      }
      return;
    }
    set_no_delay(fd);
    const bool full = std::cmp_greater_equal(m_connections.size(), m_limits.max_connections) && !evict_idle();
    const std::uint64_t id = m_next_id++;
    auto& connection = *m_connections.emplace(id, std::make_unique<Connection>(fd, id)).first->second;
    connection.peer = peer_of(fd);
    connection.deadline = SteadyClock::now() + m_limits.header_timeout;
    watch(m_epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, id);
    ++m_metrics.connections;
    ++m_metrics.connections_accepted;
    if (const auto tls = full ? nullptr : this->tls()) {
      connection.tls = std::make_unique<TlsSession>(*tls, fd);
      connection.phase = Phase::handshake;
    }
    if (full) {
      ++m_metrics.overload_rejected;
      refuse(connection, 503, "too many connections are open");
    }
  }
}

/// Room for a newcomer: the connection that has waited longest for its next request goes.
bool Reactor::evict_idle() {
  const Connection* oldest = nullptr;
  for (const auto& [id, connection] : m_connections) {
    if (connection->idle() && (oldest == nullptr || connection->deadline < oldest->deadline)) {
      oldest = connection.get();
    }
  }
  if (oldest == nullptr) {
    return false;
  }
  drop(oldest->id);
  return true;
}

void Reactor::drop(std::uint64_t id) {
  const auto found = m_connections.find(id);
  if (found == m_connections.end()) {
    return;
  }
  m_buffered -= std::exchange(found->second->charged, 0);
  found->second->phase = Phase::gone;
  m_graveyard.push_back(std::move(found->second));  // a caller may still look at it
  m_connections.erase(found);
  --m_metrics.connections;
}

/// Do whatever can be done for this connection without waiting.
void Reactor::advance(Connection& connection) {
  const std::uint64_t id = connection.id;
  switch (connection.phase) {
    case Phase::working:
    case Phase::gone:
      return;
    case Phase::writing:
      flush(connection);
      return;
    case Phase::draining:
      drain(connection);
      return;
    case Phase::handshake:
      shake_hands(connection);
      return;
    case Phase::head:
    case Phase::body:
      break;
  }
  if (!fill(connection)) {
    drop(id);
  }
}

/// As far as it goes; within the time of a header. Afterwards the connection is as a plain one.
void Reactor::shake_hands(Connection& connection) {
  if (!connection.greeted) {
    const Greeting greeting = greeting_of(connection.fd);
    if (greeting == Greeting::none_yet) {
      return;
    }
    connection.greeted = true;
    if (greeting == Greeting::plain_http) {
      connection.tls.reset();
      refuse(connection, 400, "this address speaks https only");
      return;
    }
  }
  switch (connection.tls->handshake()) {
    case TlsSession::Step::wait:
      return;
    case TlsSession::Step::failed:
      connection.end_output();  // an alert may be on its way
      connection.phase = Phase::draining;
      connection.deadline = SteadyClock::now() + k_drain_timeout;
      drain(connection);
      return;
    case TlsSession::Step::done:
      connection.phase = Phase::head;
      advance(connection);
  }
}

/// Read what is there and use it. False when the connection is of no more use.
bool Reactor::fill(Connection& connection) {
  std::size_t taken = 0;
  while (connection.phase == Phase::head || connection.phase == Phase::body) {
    if (!parse(connection)) {
      return true;  // refused or dispatched
    }
    if (taken > k_turn) {
      m_again.push_back(connection.id);
      return true;
    }
    const auto count = connection.receive();
    if (count < 0) {
      return true;
    }
    if (count == 0) {
      return false;
    }
    taken += static_cast<std::size_t>(count);
  }
  return true;
}

/// True when more bytes are needed.
bool Reactor::parse(Connection& connection) {
  if (connection.phase == Phase::head && !parse_head(connection)) {
    return connection.phase == Phase::head;
  }
  return connection.phase == Phase::body && parse_body(connection);
}

/// True when the head is complete and the body comes next.
bool Reactor::parse_head(Connection& connection) {
  connection.skip_empty_lines();
  if (connection.input.empty()) {
    return false;
  }
  if (!connection.started) {
    connection.started = true;
    connection.deadline = SteadyClock::now() + m_limits.header_timeout;
  }
  const auto end = connection.input.find("\r\n\r\n", connection.scanned);
  if (end == std::string::npos || end > m_limits.max_header) {
    connection.scanned = connection.input.size() < 3 ? 0 : connection.input.size() - 3;
    if (connection.input.size() > m_limits.max_header) {
      refuse(connection, 431, "the headers are larger than " + std::to_string(m_limits.max_header) + " bytes");
    }
    return false;
  }
  Framing framing = frame(std::string_view(connection.input).substr(0, end + 4));
  connection.input.erase(0, end + 4);
  if (framing.status != 0) {
    refuse(connection, framing.status, framing.why);
    return false;
  }
  if (framing.content_length > m_limits.max_body) {
    refuse(connection, 413, "the body is larger than " + std::to_string(m_limits.max_body) + " bytes");
    return false;
  }
  connection.begin_body(std::move(framing), SteadyClock::now() + m_limits.body_timeout);
  connection.express = m_is_express(connection.request_line());
  const bool large = connection.framing.chunked || connection.framing.content_length > k_eager;
  if (large && (busy(connection) || m_buffered + connection.framing.content_length > 2 * m_limits.max_body)) {
    ++m_metrics.overload_rejected;
    refuse(connection, 503, "the service is busy");
    return false;
  }
  if (connection.framing.expects_continue && (connection.framing.chunked || connection.framing.content_length > 0)) {
    connection.send_now("HTTP/1.1 100 Continue\r\n\r\n");
  }
  return true;
}

/// True when more bytes are needed.
bool Reactor::parse_body(Connection& connection) {
  const bool complete = connection.take_body();
  m_buffered -= std::exchange(connection.charged, 0);
  connection.charged = connection.body.size() + connection.input.size();
  m_buffered += connection.charged;
  if (connection.broken) {
    refuse(connection, 400, "the chunks of the body are malformed");
    return false;
  }
  if (connection.body.size() > m_limits.max_body) {
    refuse(connection, 413, "the body is larger than " + std::to_string(m_limits.max_body) + " bytes");
    return false;
  }
  if (!complete && m_buffered > 2 * m_limits.max_body) {
    ++m_metrics.overload_rejected;
    refuse(connection, 503, "the service is busy");
    return false;
  }
  if (complete) {
    dispatch(connection);
  }
  return !complete;
}

bool Reactor::busy(const Connection& connection) const {
  return connection.express ? m_express_busy >= k_max_express : m_busy >= m_limits.max_concurrent_requests;
}

void Reactor::dispatch(Connection& connection) {
  if (busy(connection)) {
    ++m_metrics.overload_rejected;
    connection.output = error_reply(503, "the service is busy");
    connection.close_after = false;
    connection.phase = Phase::writing;
    connection.deadline = SteadyClock::now() + k_write_timeout;
    flush(connection);
    return;
  }
  connection.phase = Phase::working;
  ++(connection.express ? m_express_busy : m_busy);
  ++m_metrics.in_flight;
  ++m_metrics.queued;
  Lane& lane = connection.express ? m_express_lane : m_lane;
  Exchange exchange{std::move(connection.framing.head), std::move(connection.body), connection.peer};
  {
    const std::lock_guard lock(lane.mutex);
    lane.queue.emplace_back(connection.id, std::move(exchange));
  }
  lane.wake.notify_one();
}

void Reactor::work(Lane& lane) {
  while (true) {
    std::unique_lock lock(lane.mutex);
    lane.wake.wait(lock, [&] { return lane.closed || !lane.queue.empty(); });
    if (lane.queue.empty()) {
      return;
    }
    auto [id, exchange] = std::move(lane.queue.front());
    lane.queue.pop_front();
    lock.unlock();
    --m_metrics.queued;
    ++m_metrics.busy_workers;
    Reply reply;
    try {
      reply = m_answer(exchange);
    } catch (const std::exception& error) {
      log::error(std::string("A request could not be answered: ") + error.what());
      reply = {error_reply(500, "an unexpected error"), true};
    }
    --m_metrics.busy_workers;
    bool first = false;
    {
      const std::lock_guard reply_lock(m_reply_mutex);
      first = m_replies.empty();
      m_replies.emplace_back(id, std::move(reply));
    }
    if (first) {
      signal_event(m_wake);
    }
  }
}

void Reactor::take_replies() {
  std::vector<std::pair<std::uint64_t, Reply>> replies;
  {
    const std::lock_guard lock(m_reply_mutex);
    replies.swap(m_replies);
  }
  for (auto& [id, reply] : replies) {
    const auto found = m_connections.find(id);
    --m_metrics.in_flight;
    Connection& connection = *found->second;  // a connection stays as long as its request is in work
    --(connection.express ? m_express_busy : m_busy);
    connection.output = std::move(reply.bytes);
    connection.close_after = reply.close || m_stopping;
    connection.phase = Phase::writing;
    connection.deadline = SteadyClock::now() + k_write_timeout;
    flush(connection);
  }
}

/// An answer without work, after which the connection closes: the rest of the request is not read.
void Reactor::refuse(Connection& connection, int status, const std::string& why) {
  ++m_metrics.limit_rejected;
  m_metrics.count_request("-", "-", status, {});
  connection.output = error_reply(status, why);
  connection.close_after = true;
  connection.phase = Phase::writing;
  connection.deadline = SteadyClock::now() + k_drain_timeout;
  flush(connection);
}

void Reactor::flush(Connection& connection) {
  if (!connection.send()) {
    drop(connection.id);
    return;
  }
  if (!connection.sent()) {
    return;
  }
  m_buffered -= std::exchange(connection.charged, 0);
  if (connection.close_after) {
    // Without this, unread input would turn the close into a reset that takes the answer with it.
    connection.end_output();
    connection.phase = Phase::draining;
    connection.deadline = SteadyClock::now() + k_drain_timeout;
    drain(connection);
    return;
  }
  connection.next_request(SteadyClock::now() + m_limits.keep_alive);
  m_again.push_back(connection.id);  // edge-triggered: what came meanwhile is not told again
}

void Reactor::drain(Connection& connection) {
  if (!connection.discard()) {
    drop(connection.id);
  }
}

void Reactor::expire() {
  const auto now = SteadyClock::now();
  std::vector<std::uint64_t> late;
  for (const auto& [id, connection] : m_connections) {
    if (connection->phase != Phase::working && connection->deadline < now) {
      late.push_back(id);
    }
  }
  for (const std::uint64_t id : late) {
    Connection& connection = *m_connections.at(id);
    if (connection.phase == Phase::body || (connection.phase == Phase::head && connection.started)) {
      refuse(connection, 408, "the request did not arrive in time");
    } else {
      drop(id);
    }
  }
}

}  // namespace vdk::control::rest
