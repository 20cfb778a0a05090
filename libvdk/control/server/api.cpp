// SPDX-License-Identifier: Apache-2.0
#include "control/server/api.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/server/reactor.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::rest {

std::optional<std::string> ApiRequest::parameter(std::string_view name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::nullopt : std::optional(found->second);
}

namespace {

Refusal wrong_type(const ApiRequest& request, const std::string& expected) {
  return {415,
          {"The body of the request has a type that is not accepted here.",
           request.content_type.empty() ? "there is no Content-Type" : "Content-Type is " + request.content_type,
           "The request was not executed; nothing has changed.", "Send it with Content-Type: " + expected + "."}};
}

}  // namespace

const std::string& json_body(const ApiRequest& request) {
  const std::string& type = request.content_type;
  if (type != "application/json" && !(type.starts_with("application/") && type.ends_with("+json"))) {
    throw wrong_type(request, "application/json");
  }
  return request.body;
}

const std::string& archive_body(const ApiRequest& request) {
  if (request.content_type != "application/octet-stream" && request.content_type != "application/zip") {
    throw wrong_type(request, "application/octet-stream");
  }
  return request.body;
}

ApiAnswer json_answer(int status, std::string body) { return {status, "application/json", std::move(body), {}}; }

ApiAnswer empty_answer(int status) { return {status, {}, {}, {}}; }

ApiAnswer error_answer(int status, const ErrorText& text) {
  const nlohmann::ordered_json body{{"what", text.what},
                                    {"why", text.why},
                                    {"consequences", text.consequences},
                                    {"countermeasures", text.countermeasures}};
  ApiAnswer answer = json_answer(status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (status == 503) {
    answer.headers.emplace_back("Retry-After", "1");
  }
  return answer;
}

ApiAnswer error_answer(const Error& error) { return error_answer(http_status(error.kind()), error.text()); }

int http_status(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::usage:
    case ErrorKind::configuration:
    case ErrorKind::user_code:
    case ErrorKind::pending:
      return 400;
    case ErrorKind::login:
      return 401;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::too_large:
      return 413;
    case ErrorKind::unsupported:
      return 501;
    case ErrorKind::operation:
    case ErrorKind::platform:
    case ErrorKind::timeout:
    case ErrorKind::unreachable:
    case ErrorKind::interrupted:
      return 503;
    case ErrorKind::internal:
      return 500;
  }
  return 500;
}

Error bad_parameter(const std::string& parameter, const std::string& rule, const std::string& value) {
  return {ErrorKind::usage,
          {"Parameter " + parameter + " is not valid.", "It must be " + rule + ", but was " + value + ".",
           "The request was not executed; nothing has changed.", "Correct the parameter and send the request again."}};
}

Error bad_body(const std::string& why) {
  return {ErrorKind::usage,
          {"An issue with the JSON body of the request was found", why,
           "The request was not executed; nothing has changed.", "Correct the body and send the request again."}};
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  const std::vector<std::string> tags = text::split(if_none_match, ',');
  return std::any_of(tags.begin(), tags.end(), [&](const std::string& tag) {
    std::string_view one = text::trim(tag);
    one.remove_prefix(one.starts_with("W/") ? 2 : 0);
    return one == etag || one == "*";
  });
}

std::string percent_encode(std::string_view s) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string result;
  for (const char c : s) {
    if (plain.find(c) != std::string_view::npos) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '%';
      result += digits[byte >> 4U];
      result += digits[byte & 15U];
    }
  }
  return result;
}

namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 408:
      return "Request Timeout";
    case 413:
      return "Payload Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    default:
      return "Service Unavailable";
  }
}

ErrorText text_of(int status, const std::string& why) {
  ErrorText text{"The request cannot be served.", why, "The request was not executed; nothing has changed.",
                 "Correct the request and send it again."};
  if (status == 500) {
    text = {"A coding error (bug) was found.", why, "The request may not have been executed.",
            "Report the bug with the X-OPID of the answer."};
  } else if (status == 503) {
    text.countermeasures = "Send the request again a little later.";
  } else if (status == 408) {
    text.countermeasures = "Send the request again over a connection that is fast enough.";
  }
  return text;
}

}  // namespace

std::string error_reply(int status, const std::string& why) {
  const ApiAnswer answer = error_answer(status, text_of(status, why));
  std::string reply = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_phrase(status)) + "\r\n";
  for (const auto& [name, value] : answer.headers) {
    reply += name + ": " + value + "\r\n";
  }
  reply += "Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n";
  if (status != 503) {
    reply += "Connection: close\r\n";
  }
  return reply + "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
}

}  // namespace vdk::control::rest
