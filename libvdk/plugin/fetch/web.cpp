// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/web.hpp"

#include <algorithm>

#include "plugin/fetch/address.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

using namespace std::chrono_literals;

constexpr int k_max_redirects = 5;
constexpr std::size_t k_max_answer = 16UL << 20U;  ///< of what does not go into a file
constexpr std::chrono::seconds k_connect{15};
constexpr std::chrono::seconds k_idle{30};
constexpr std::chrono::seconds k_longest_pause{30};

bool looks_like_html(const std::string& head) {
  std::string_view text = head;
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  const std::string start = text::lower(text::trim(text).substr(0, 15));
  return start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head");
}

Error html_error(const std::string& address) {
  return {ErrorKind::platform,
          {.what = address + " is a web page and not a plugin",
           .why = "the server answered 200 with HTML: a login page, or its own way to say that there is no such file",
           .consequences = "What came is not used.",
           .countermeasures = "Open the address in a browser; check the path and the provider's auth."}};
}

}  // namespace

http::Client& Web::client(const std::atomic<bool>* cancelled) {
  if (m_client && cancelled == m_cancelled) {
    return *m_client;
  }
  http::ClientOptions options;
  options.connect_timeout = std::min<std::chrono::milliseconds>(k_connect, m_config.timeout);
  options.idle_timeout = std::min<std::chrono::milliseconds>(k_idle, m_config.timeout);
  options.total_timeout = m_config.timeout;
  options.overall_timeout = m_config.timeout;
  options.total_retries = options.connect_retries = options.read_retries = m_config.retries;
  options.backoff_seconds = 0.5;
  options.longest_backoff = options.longest_retry_after = k_longest_pause;
  options.retry_statuses = {408, 429, 500, 502, 503, 504};
  options.ca_file = m_config.ca_file;
  options.follow_redirects = true;
  options.max_redirects = k_max_redirects;
  options.max_body = k_max_answer;
  options.cancelled = cancelled;
  options.follow_elsewhere = [this](const std::string& from, const std::string& to) { return follow(from, to); };
  options.on_retry = [this](const std::string& reason, std::chrono::milliseconds pause) {
    log::debug("plugin provider '" + m_config.name + "': " + reason + ", trying again in " +
               std::to_string(pause.count()) + " ms");
  };
  m_client = http::make_client(options);
  m_cancelled = cancelled;
  return *m_client;
}

bool Web::follow(const std::string& from, const std::string& to) const {
  const Address target = parse_address(to);
  const bool plain =
      target.scheme == "http" && from.starts_with("http:") && (m_config.insecure || is_loopback(target.host));
  if (target.scheme != "https" && !plain) {
    throw Error(ErrorKind::platform, {.what = redact_url(from) + " redirects to " + redact_url(target.without_login()),
                                      .why = "that address is not encrypted",
                                      .consequences = "It was not followed and nothing was fetched.",
                                      .countermeasures = "Give the provider the address that it redirects to, with "
                                                         "https://."});
  }
  return true;
}

Web::File Web::download(http::Request request, const FetchRequest& wanted, bool html) {
  const std::string shown = redact_url(request.url);
  FileSink sink(wanted, shown);
  request.sink = &sink;
  File file;
  file.head = client(wanted.cancelled).send(request);
  if (file.head.status == 416 && sink.resumes()) {  // it became shorter while it was read
    sink.restart();
    file.head = client(wanted.cancelled).send(request);
  }
  if (file.head.status != 206) {  // the sink let it through only as an answer to its own Range
    require_ok(file.head, request.url);
  }
  const std::string type = text::lower(file.head.header("Content-Type").value_or(""));
  if (!html && (type.starts_with("text/html") || looks_like_html(sink.head()))) {
    throw html_error(shown);
  }
  file.fetched = sink.finish();
  file.fetched.resolved = shown;
  return file;
}

http::Response Web::send(const http::Request& request, const std::atomic<bool>* cancelled) {
  return client(cancelled).send(request);
}

void Web::require_ok(const http::Response& response, const std::string& url) const {
  const int status = response.status;
  if (status == 200) {
    return;
  }
  const std::string shown = redact_url(url);
  const std::string more = m_explain ? m_explain(response) : std::string();
  const std::string answer = "the server answered " + std::to_string(status) + (more.empty() ? "" : ": " + more);
  const std::string nothing = "Nothing was fetched.";
  if (status == 401 || status == 403 || status == 407) {
    throw Error(ErrorKind::login,
                {"the plugin provider '" + m_config.name + "' refused to give " + shown, answer, nothing,
                 "Check the provider's auth in the configuration and the rights it has there."});
  }
  if (status == 404 || status == 410) {
    throw Error(ErrorKind::not_found, {"there is no " + shown, answer, nothing,
                                       "Check the path and the version of the plugin and what its provider names."});
  }
  if (status == 408 || status == 429 || status >= 500) {
    throw Error(ErrorKind::unreachable, {"the plugin provider '" + m_config.name + "' cannot give " + shown,
                                         answer + " after " + std::to_string(m_config.retries) + " more attempts",
                                         nothing, "Try again later."});
  }
  if (status >= 300 && status < 400) {
    throw Error(
        ErrorKind::platform,
        {"cannot fetch " + shown, "it redirects more than " + std::to_string(k_max_redirects) + " times, or nowhere",
         nothing, "Give the provider the address where the file really is."});
  }
  throw Error(ErrorKind::platform, {"cannot fetch " + shown, answer, nothing, "Check the address and the server."});
}

}  // namespace vdk::plugin
