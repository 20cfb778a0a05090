// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/http.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <exception>
#include <thread>
#include <utility>

#include "core/curl.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

using Time = std::chrono::steady_clock::time_point;

/// Where a transfer failed decides whether it may be tried again: nothing was sent before a connection stood.
enum class Failure { none, connect, read, final };

struct Attempt {
  Response response;
  std::string redirect;  ///< absolute address of a redirection
  CURLcode code = CURLE_OK;
  Failure failure = Failure::none;
  std::string reason;
  bool too_large = false;
  std::size_t max_body = 0;
  Sink* sink = nullptr;  ///< null when the body goes to `response`
  bool begun = false;
  std::exception_ptr thrown;
};

/// Whatever a sink throws must not fly through libcurl.
template <typename Call>
bool guarded(Attempt& attempt, const Call& call) {
  try {
    call();
  } catch (...) {
    attempt.thrown = std::current_exception();
  }
  return attempt.thrown == nullptr;
}

bool begin_body(Attempt& attempt) {
  if (attempt.sink == nullptr || std::exchange(attempt.begun, true)) {
    return true;
  }
  return guarded(attempt, [&attempt] {
    if (!attempt.sink->begin(attempt.response)) {
      attempt.sink = nullptr;
    }
  });
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* target) {
  auto& attempt = *static_cast<Attempt*>(target);
  if (!begin_body(attempt)) {
    return 0;
  }
  if (attempt.sink != nullptr) {
    const std::string_view bytes(data, size * count);
    return guarded(attempt, [&attempt, bytes] { attempt.sink->write(bytes); }) ? bytes.size() : 0;
  }
  if (attempt.response.body.size() + size * count > attempt.max_body) {
    attempt.too_large = true;
    return 0;
  }
  attempt.response.body.append(data, size * count);
  return size * count;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* target) {
  auto& response = static_cast<Attempt*>(target)->response;
  const std::string_view line = text::trim({data, size * count});
  if (line.starts_with("HTTP/")) {
    response.headers.clear();  // an interim answer (100 ...) came before this one
    const auto status = text::parse_int(line.substr(std::min(line.find(' ') + 1, line.size())).substr(0, 3));
    response.status = static_cast<int>(status.value_or(0));
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    response.headers.emplace_back(text::trim(line.substr(0, colon)), text::trim(line.substr(colon + 1)));
  }
  return size * count;
}

bool may_be_repeated(const std::string& method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

Failure classify(CURLcode code, bool connected) {
  switch (code) {
    case CURLE_OK:
      return Failure::none;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
      return Failure::connect;
    case CURLE_OPERATION_TIMEDOUT:
      return connected ? Failure::read : Failure::connect;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
      return Failure::read;
    default:
      return Failure::final;
  }
}

/// scheme://host:port in lower case, to compare two addresses by.
std::string origin(std::string_view url) {
  const std::string shown = text::lower(printable(url));
  const std::size_t scheme = shown.find("://");
  if (scheme == std::string::npos) {
    return shown;
  }
  std::string result = shown.substr(0, shown.find('/', scheme + 3));
  const std::string_view host = std::string_view(result).substr(scheme + 3);
  if (host.find(':', host.rfind(']') == std::string_view::npos ? 0 : host.rfind(']')) == std::string_view::npos) {
    result += shown.starts_with("https:") ? ":443" : ":80";
  }
  return result;
}

std::string header_line(const std::string& name, const std::string& value) {
  if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    throw Error(ErrorKind::usage, {"cannot send the header '" + name.substr(0, name.find_first_of("\r\n")) + "'",
                                   "its value contains a line end", "nothing was sent", "remove the line end"});
  }
  return value.empty() ? name + ";" : name + ": " + value;
}

/// A header for the debug log. What is not known to be harmless is masked: names of secret headers are without number.
std::string traced(const std::string& name, const std::string& value) {
  constexpr std::array harmless = {"accept",      "allow",  "connection", "content-length", "content-type", "date",
                                   "retry-after", "server", "user-agent", "vary",           "x-opid"};
  const std::string lower = text::lower(name);
  const bool shown = std::find(harmless.begin(), harmless.end(), lower) != harmless.end();
  return name + ": " + (shown ? value : lower == "location" ? printable(value) : "***");
}

void trace(const Request& request, const Response& response, const std::string& failure) {
  if (log::level() > log::Level::debug) {
    return;
  }
  log::debug("http: > " + request.method + " " + printable(request.url));
  for (const auto& [name, value] : request.headers) {
    log::debug("http: > " + traced(name, value));
  }
  log::debug("http: < " + (failure.empty() ? std::to_string(response.status) : failure) + ", " +
             std::to_string(response.body.size()) + " bytes");
  for (const auto& [name, value] : response.headers) {
    log::debug("http: < " + traced(name, value));
  }
}

class CurlClient final : public Client {
 public:
  explicit CurlClient(ClientOptions options) : m_options(std::move(options)), m_handle(make_handle()) {}

  Response send(const Request& request) override {
    Request now = request;
    m_end = m_options.overall_timeout.count() > 0 ? std::chrono::steady_clock::now() + m_options.overall_timeout
                                                  : Time::max();
    for (int redirects = 0;; ++redirects) {
      Attempt attempt = send_with_retries(now);
      if (!m_options.follow_redirects || attempt.redirect.empty() || redirects == m_options.max_redirects ||
          !may_follow(now, attempt.redirect)) {
        return std::move(attempt.response);
      }
      follow(now, attempt);
    }
  }

 private:
  struct Budget {
    int total;
    int connect;
    int read;
    int waits = 0;
  };

  bool may_follow(Request& request, const std::string& to) const {
    if (origin(to) == origin(request.url)) {
      return true;
    }
    const bool harmless = request.method == "GET" || request.method == "HEAD";  // a body may hold secrets too
    if (!harmless || !m_options.follow_elsewhere || !m_options.follow_elsewhere(request.url, to)) {
      return false;
    }
    request.secret_headers.clear();
    request.signature.reset();
    std::erase_if(request.headers, [](const auto& header) {
      const std::string name = text::lower(header.first);
      return name == "authorization" || name == "cookie" || name == "proxy-authorization";
    });
    return true;
  }

  static void follow(Request& request, const Attempt& attempt) {
    const int status = attempt.response.status;
    request.url = attempt.redirect;
    if (status == 303 || ((status == 301 || status == 302) && request.method == "POST")) {
      request.method = "GET";
      request.body.clear();
    }
  }

  Attempt send_with_retries(const Request& request) {
    Budget budget{m_options.total_retries, m_options.connect_retries, m_options.read_retries};
    while (true) {
      Attempt attempt = perform(request);
      if (!may_retry(request, attempt, budget)) {
        if (attempt.code != CURLE_OK) {
          fail(request, attempt);
        }
        return attempt;
      }
      const milliseconds pause = wait_before(attempt, ++budget.waits);
      if (std::chrono::steady_clock::now() + pause >= m_end) {
        if (attempt.code != CURLE_OK) {
          fail(request, attempt);
        }
        return attempt;
      }
      if (m_options.on_retry) {
        m_options.on_retry(attempt.code == CURLE_OK ? "the server answered " + std::to_string(attempt.response.status)
                                                    : attempt.reason,
                           pause);
      }
      rest(request, pause);
    }
  }

  bool may_retry(const Request& request, const Attempt& attempt, Budget& budget) const {
    bool again = false;
    if (attempt.code == CURLE_OK) {
      const auto& wanted = m_options.retry_statuses;
      again = may_be_repeated(request.method) &&
              std::find(wanted.begin(), wanted.end(), attempt.response.status) != wanted.end();
    } else if (attempt.failure == Failure::connect) {
      again = budget.connect-- > 0;
    } else if (attempt.failure == Failure::read) {
      again = may_be_repeated(request.method) && budget.read-- > 0;
    }
    return again && budget.total-- > 0;
  }

  [[nodiscard]] milliseconds wait_before(const Attempt& attempt, int number) const {
    const milliseconds longest = m_options.longest_retry_after;
    if (const auto after = attempt.response.header("Retry-After"); after && attempt.code == CURLE_OK) {
      if (const auto seconds = text::parse_int(*after)) {
        return std::clamp<milliseconds>(std::chrono::seconds(std::clamp<long long>(*seconds, 0, 3600)), 0ms, longest);
      }
      if (const std::time_t date = curl().getdate(after->c_str(), nullptr); date > 0) {
        return std::clamp<milliseconds>(std::chrono::seconds(date - std::time(nullptr)), 0ms, longest);
      }
    }
    const double seconds = m_options.backoff_seconds * std::pow(2.0, std::min(number - 1, 20));
    return std::min(milliseconds(static_cast<long long>(seconds * 1000)), m_options.longest_backoff);
  }

  void rest(const Request& request, milliseconds pause) const {
    const auto end = std::chrono::steady_clock::now() + pause;
    while (std::chrono::steady_clock::now() < end) {
      if (m_options.cancelled != nullptr && m_options.cancelled->load()) {
        Attempt attempt;
        attempt.code = CURLE_ABORTED_BY_CALLBACK;
        fail(request, attempt);
      }
      const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
      std::this_thread::sleep_for(std::clamp<milliseconds>(left, 0ms, 50ms));
    }
  }

  Attempt perform(const Request& request) {
    Attempt attempt;
    attempt.max_body = m_options.max_body;
    attempt.sink = request.sink;
    CURL* handle = m_handle.get();
    const Curl& api = curl();
    api.reset(handle);  // connections stay open
    prepare(handle, m_error.data(), m_options.cancelled);
    Lines headers;
    set_request(request, headers);
    set_connection();
    api.setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    api.setopt(handle, CURLOPT_WRITEDATA, &attempt);
    api.setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    api.setopt(handle, CURLOPT_HEADERDATA, &attempt);
    attempt.code = api.perform(handle);
    if (attempt.code == CURLE_OK) {
      begin_body(attempt);  // an empty body has not called for it
    }
    read_result(attempt);
    trace(request, attempt.response, attempt.reason);
    if (attempt.thrown) {
      std::rethrow_exception(attempt.thrown);
    }
    return attempt;
  }

  void set_request(const Request& request, Lines& headers) {
    CURL* handle = m_handle.get();
    const auto set = curl().setopt;
    for (const auto& [name, value] : request.headers) {
      headers.add(header_line(name, value));
    }
    for (const auto& [name, value] : request.secret_headers) {
      headers.add(header_line(name, value));
    }
    if (request.sink != nullptr) {
      Headers more;
      request.sink->prepare(more);
      for (const auto& [name, value] : more) {
        headers.add(header_line(name, value));
      }
    }
    if (request.signature) {
      set(handle, CURLOPT_AWS_SIGV4, request.signature->scope.c_str());
      set(handle, CURLOPT_USERNAME, request.signature->access_key.c_str());
      set(handle, CURLOPT_PASSWORD, request.signature->secret_key.c_str());
    }
    set(handle, CURLOPT_URL, request.url.c_str());
    set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    const bool has_body =
        !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (request.method == "HEAD") {
      set(handle, CURLOPT_NOBODY, 1L);
    } else if (has_body) {
      set(handle, CURLOPT_POSTFIELDS, request.body.data());
      set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      // Lines without a value take away what libcurl would add; one that signs would sign them although it sends none.
      if (!request.signature) {
        headers.add("Content-Type:");  // only what the caller gave
        headers.add("Expect:");        // no waiting for a 100 before the body
      }
    }
    if (request.method != "HEAD") {
      set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    set(handle, CURLOPT_HTTPHEADER, headers.get());
  }

  void set_connection() {
    CURL* handle = m_handle.get();
    const auto set = curl().setopt;
    set(handle, CURLOPT_USERAGENT, m_options.user_agent.c_str());
    set(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(m_options.connect_timeout.count()));
    set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(time_of_attempt().count()));
    if (m_options.idle_timeout.count() > 0) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(m_options.idle_timeout);
      set(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
      set(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(seconds.count()));
    }
    set(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(handle, CURLOPT_SSL_VERIFYPEER, m_options.verify_tls ? 1L : 0L);
    set(handle, CURLOPT_SSL_VERIFYHOST, m_options.verify_tls ? 2L : 0L);
    set_ca(handle, m_options.verify_tls ? m_options.ca_file : std::string());
  }

  [[nodiscard]] milliseconds time_of_attempt() const {
    if (m_end == Time::max()) {
      return m_options.total_timeout;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(m_end - std::chrono::steady_clock::now());
    return std::clamp(left, milliseconds(1), std::max(m_options.total_timeout, milliseconds(1)));
  }

  void read_result(Attempt& attempt) {
    const Curl& api = curl();
    long status = 0;
    api.getinfo(m_handle.get(), CURLINFO_RESPONSE_CODE, &status);
    attempt.response.status = static_cast<int>(status);
    if (attempt.code != CURLE_OK) {
      curl_off_t connect_time = 0;
      api.getinfo(m_handle.get(), CURLINFO_PRETRANSFER_TIME_T, &connect_time);
      attempt.failure = classify(attempt.code, connect_time > 0);
      attempt.reason = reason(attempt.code, m_error.data());
      return;
    }
    const char* redirect = nullptr;
    if (api.getinfo(m_handle.get(), CURLINFO_REDIRECT_URL, &redirect) == CURLE_OK && redirect != nullptr) {
      attempt.redirect = redirect;
    }
  }

  [[noreturn]] void fail(const Request& request, const Attempt& attempt) const {
    const std::string address = printable(request.url);
    const std::string what = "no answer from " + address;
    switch (attempt.code) {
      case CURLE_ABORTED_BY_CALLBACK:
        throw Error(ErrorKind::interrupted, {"the request to " + address + " was given up", "it was interrupted",
                                             "whether the server has carried it out is not known", ""});
      case CURLE_URL_MALFORMAT:
      case CURLE_UNSUPPORTED_PROTOCOL:
        throw Error(ErrorKind::configuration, {"'" + address + "' is no address of a server", attempt.reason,
                                               "nothing was sent", "give an address such as https://host:port"});
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
        throw Error(ErrorKind::unreachable,
                    {"the server at " + address + " cannot be trusted", attempt.reason, "nothing was sent",
                     "give the file of its certificate authority, for example with SSL_CERT_FILE"});
      default:
        break;
    }
    if (attempt.too_large) {
      throw Error(ErrorKind::too_large, {"the answer from " + address + " is too large",
                                         "it has more than " + std::to_string(m_options.max_body) + " bytes",
                                         "it was not read to its end", ""});
    }
    if (attempt.code == CURLE_PARTIAL_FILE && request.sink != nullptr) {
      throw Error(ErrorKind::platform, {"the answer from " + address + " ended before it was complete", attempt.reason,
                                        "What came is not used.", "Try again; if it stays, look at the server."});
    }
    const bool sent = attempt.failure != Failure::connect;
    throw Error(ErrorKind::unreachable,
                {what, attempt.reason,
                 sent ? "whether the server has carried out the request is not known" : "nothing was sent",
                 "check the address, the network and the proxy settings"});
  }

  ClientOptions m_options;
  Handle m_handle;
  Time m_end = Time::max();  ///< of the present send
  std::array<char, CURL_ERROR_SIZE> m_error{};
};

}  // namespace

std::optional<std::string> Response::header(std::string_view name) const {
  const std::string wanted = text::lower(name);
  for (auto it = headers.rbegin(); it != headers.rend(); ++it) {
    if (text::lower(it->first) == wanted) {
      return it->second;
    }
  }
  return std::nullopt;
}

std::unique_ptr<Client> make_client(ClientOptions options) { return std::make_unique<CurlClient>(std::move(options)); }

bool is_loopback(std::string_view host) {
  // 127.example.com is somebody else's.
  const bool numeric = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "[::1]" || numeric;
}

std::string encode(std::string_view text) {
  constexpr std::string_view kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return out;
}

}  // namespace vdk::http
