// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <ctime>

#include "core/curl.hpp"
#include "core/mail_message.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/http.hpp"
#include "vdk/core/text.hpp"

namespace vdk::http {
namespace {

struct Upload {
  std::string_view left;
};

std::size_t give_message(char* buffer, std::size_t size, std::size_t count, void* source) {
  auto& upload = *static_cast<Upload*>(source);
  const std::size_t part = std::min(size * count, upload.left.size());
  std::copy_n(upload.left.begin(), part, buffer);
  upload.left.remove_prefix(part);
  return part;
}

/// What the server said, command by command: libcurl itself keeps only the last answer.
struct Dialogue {
  std::vector<std::pair<std::string, std::string>> recipients;  ///< RCPT TO address, answer
  std::size_t answered = 0;
};

int listen(CURL* /*handle*/, curl_infotype kind, char* data, std::size_t size, void* target) {
  auto& dialogue = *static_cast<Dialogue*>(target);
  const std::string_view line = text::trim({data, size});
  if (kind == CURLINFO_HEADER_OUT && line.starts_with("RCPT TO:<")) {
    dialogue.recipients.emplace_back(line.substr(9, line.find('>') - 9), "");
  } else if (kind == CURLINFO_HEADER_IN && dialogue.answered < dialogue.recipients.size() && line.size() > 3) {
    dialogue.recipients[dialogue.answered].second +=
        (dialogue.recipients[dialogue.answered].second.empty() ? "" : " ") + std::string(line);
    if (line[3] == ' ') {  // a hyphen would say that more lines follow
      ++dialogue.answered;
    }
  }
  return 0;
}

MailOutcome refused_by(const Dialogue& dialogue) {
  MailOutcome outcome;
  for (const auto& [address, answer] : dialogue.recipients) {
    if (!answer.empty() && answer.front() != '2') {
      outcome.refused.emplace_back(address, answer);
    }
  }
  return outcome;
}

[[noreturn]] void fail(const MailServer& server, CURLcode code, const std::string& why, const MailOutcome& outcome) {
  const std::string address = printable(server.url);
  if (!outcome.refused.empty() && code == CURLE_SEND_ERROR) {
    std::string words;
    for (const auto& [recipient, answer] : outcome.refused) {
      words += (words.empty() ? "" : "; ") + recipient + ": " + answer;
    }
    throw Error(ErrorKind::operation, {"the mail server " + address + " accepts none of the recipients", words,
                                       "the mail was not sent", "check the addresses"});
  }
  switch (code) {
    case CURLE_LOGIN_DENIED:
      throw Error(ErrorKind::configuration, {"the mail server " + address + " refuses the login", why,
                                             "the mail was not sent", "check the user name and the password"});
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      throw Error(ErrorKind::configuration, {"'" + address + "' is no address of a mail server", why,
                                             "the mail was not sent", "give smtp://HOST:PORT or smtps://HOST:PORT"});
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
      throw Error(ErrorKind::unreachable,
                  {"no trusted connection to the mail server " + address, why, "the mail was not sent",
                   "check that the server offers STARTTLS with a certificate that this machine trusts"});
    case CURLE_SEND_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
      throw Error(ErrorKind::operation, {"the mail server " + address + " refuses the mail", why,
                                         "the mail was not sent", "see the reason; often it is the sender's address"});
    default:
      throw Error(ErrorKind::unreachable,
                  {"the mail server " + address + " does not take the mail", why, "the mail was not sent",
                   "check the address and the state of the mail server"});
  }
}

std::vector<std::string> recipients_of(const Mail& mail) {
  std::vector<std::string> all;
  for (const auto* list : {&mail.to, &mail.cc}) {
    for (const std::string& address : *list) {
      check_address(address);
      if (std::find(all.begin(), all.end(), address) == all.end()) {
        all.push_back(address);
      }
    }
  }
  if (all.empty()) {
    throw Error(ErrorKind::operation, {"cannot send the mail '" + mail.subject + "'", "it has no recipient",
                                       "the mail was not sent", "give at least one address"});
  }
  return all;
}

}  // namespace

MailOutcome send_mail(const MailServer& server, const Mail& mail) {
  check_address(mail.from);
  Lines recipients;
  for (const std::string& address : recipients_of(mail)) {
    recipients.add("<" + address + ">");
  }
  const std::string message = make_message(mail, std::time(nullptr));
  const Handle handle = make_handle();
  const auto set = curl().setopt;
  std::array<char, CURL_ERROR_SIZE> error{};
  Upload upload{message};
  Dialogue dialogue;
  prepare(handle.get(), error.data(), nullptr);
  set(handle.get(), CURLOPT_URL, server.url.c_str());
  set(handle.get(), CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(handle.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(server.timeout.count()));
  set(handle.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(server.timeout.count()));
  set(handle.get(), CURLOPT_USE_SSL, static_cast<long>(server.require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
  set_ca(handle.get(), {});
  if (!server.require_tls && !text::lower(server.url).starts_with("smtps:")) {
    // Encryption that may be left out protects against no active attacker, so a certificate need not be trusted.
    set(handle.get(), CURLOPT_SSL_VERIFYPEER, 0L);
    set(handle.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!server.username.empty()) {
    set(handle.get(), CURLOPT_USERNAME, server.username.c_str());
    set(handle.get(), CURLOPT_PASSWORD, server.password.c_str());
  }
  const std::string from = "<" + mail.from + ">";
  set(handle.get(), CURLOPT_MAIL_FROM, from.c_str());
  set(handle.get(), CURLOPT_MAIL_RCPT, recipients.get());
  set(handle.get(), CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  set(handle.get(), CURLOPT_UPLOAD, 1L);
  set(handle.get(), CURLOPT_READFUNCTION, give_message);
  set(handle.get(), CURLOPT_READDATA, &upload);
  set(handle.get(), CURLOPT_VERBOSE, 1L);  // only for the answers to RCPT; nothing is printed
  set(handle.get(), CURLOPT_DEBUGFUNCTION, listen);
  set(handle.get(), CURLOPT_DEBUGDATA, &dialogue);
  const CURLcode code = curl().perform(handle.get());
  MailOutcome outcome = refused_by(dialogue);
  if (code != CURLE_OK) {
    fail(server, code, reason(code, error.data()), outcome);
  }
  return outcome;
}

}  // namespace vdk::http
