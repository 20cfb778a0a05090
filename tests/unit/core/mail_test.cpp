// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "core/mail_message.hpp"
#include "core/servers.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/http.hpp"

using namespace vdk;
using test::Server;

namespace {

/// A mail server with the folder of what it took; nothing where Python's aiosmtpd is not installed.
struct Sink {
  files::TemporaryDirectory folder;
  files::TemporaryDirectory secrets;
  std::optional<test::Certificate> certificate;
  std::optional<Server> server;

  explicit Sink(bool tls = false) {
    if (process::run({.argv = {test::k_python, "-c", "import aiosmtpd"}}).exit_code != 0) {
      MESSAGE("skipped: aiosmtpd is not installed");
      return;
    }
    std::vector<std::string> words = {"smtp", folder.path().string()};
    if (tls) {
      certificate = test::make_certificate(secrets.path(), "IP:127.0.0.1");
      if (!certificate) {
        MESSAGE("skipped: openssl is not installed");
        return;
      }
      words.insert(words.end(), {certificate->certificate, certificate->key});
    }
    server.emplace(words);
  }
  [[nodiscard]] http::MailServer address() const {
    ::setenv("no_proxy", "127.0.0.1", 1);
    http::MailServer made;
    made.url = server->url("", "smtp");
    return made;
  }
  /// What Python's own mail parser reads in the mail of that number.
  [[nodiscard]] std::string read(int number, const std::string& expression) const {
    const std::string code =
        "import json,sys,email,email.policy\nr=json.load(open(sys.argv[1]))\n"
        "m=email.message_from_string(r['data'],policy=email.policy.default)\nprint(" +
        expression + ",end='')";
    return process::run({.argv = {test::k_python, "-c", code,
                                  (folder.path() / ("mail" + std::to_string(number) + ".json")).string()}})
        .out;
  }
  [[nodiscard]] bool is_empty() const { return std::filesystem::is_empty(folder.path()); }
};

http::Mail sample() {
  http::Mail mail;
  mail.from = "vdk@example.org";
  mail.from_name = "Versatile \"Data\" Kit";
  mail.to = {"ann@example.org", "bob@example.org"};
  mail.cc = {"carl@example.org"};
  mail.subject = "[deploy][data job failure] größe";
  mail.html = "<p>Grüße</p>\n.\nafter the dot";
  return mail;
}

template <typename Call>
ErrorKind kind_of(const Call& call, std::string* why = nullptr) {
  try {
    call();
  } catch (const Error& error) {
    if (why != nullptr) {
      *why = error.text().why;
    }
    return error.kind();
  }
  return ErrorKind::internal;
}

}  // namespace

TEST_CASE("a mail arrives whole with its headers") {
  const Sink sink;
  if (!sink.server) {
    return;
  }
  CHECK(http::send_mail(sink.address(), sample()).refused.empty());
  CHECK(sink.read(0, "r['from']") == "vdk@example.org");
  CHECK(sink.read(0, "r['to']") == "['ann@example.org', 'bob@example.org', 'carl@example.org']");
  CHECK(sink.read(0, "m['subject']") == "[deploy][data job failure] größe");
  CHECK(sink.read(0, "m['from'].addresses[0].display_name") == "Versatile \"Data\" Kit");
  CHECK(sink.read(0, "m['to'], m['cc']") == "ann@example.org, bob@example.org carl@example.org");
  CHECK(sink.read(0, "m.get_content_type(), repr(m.get_content())") == R"(text/html '<p>Grüße</p>\n.\nafter the dot')");
  CHECK(sink.read(0, "abs(m['date'].datetime.timestamp() - __import__('time').time()) < 60") == "True");
  CHECK(sink.read(0, "bool(m['message-id'])") == "True");
}

TEST_CASE("refused recipients are reported with the server's words and the others get the mail") {
  const Sink sink;
  if (!sink.server) {
    return;
  }
  http::Mail mail = sample();
  mail.to = {"nobody@example.org", "ann@example.org", "no-one@example.org"};
  const auto outcome = http::send_mail(sink.address(), mail);
  REQUIRE(outcome.refused.size() == 2);
  CHECK(outcome.refused[0].first == "nobody@example.org");
  CHECK(outcome.refused[0].second.find("no such person") != std::string::npos);
  CHECK(outcome.refused[1].first == "no-one@example.org");
  CHECK(sink.read(0, "r['to']") == "['ann@example.org', 'carl@example.org']");

  mail.to = {"nobody@example.org"};
  mail.cc.clear();
  std::string why;
  CHECK(kind_of([&] { http::send_mail(sink.address(), mail); }, &why) == ErrorKind::operation);
  CHECK(why.find("no such person") != std::string::npos);
  mail = sample();
  mail.from = "bad@example.org";
  CHECK(kind_of([&] { http::send_mail(sink.address(), mail); }) == ErrorKind::operation);
}

TEST_CASE("nothing in a mail adds a header, a recipient or a command") {
  const Sink sink;
  if (!sink.server) {
    return;
  }
  http::Mail mail = sample();
  mail.subject = "one\r\nBcc: evil@example.org\r\n\r\nbody";
  mail.from_name = "x\nX-Evil: 1";
  CHECK(http::send_mail(sink.address(), mail).refused.empty());
  CHECK(sink.read(0, "m['bcc'], m['x-evil']") == "None None");
  CHECK(sink.read(0, "len(r['to'])") == "3");
  for (const char* address : {"a@b\r\nRCPT TO:<evil@example.org>", "a b@c", "<a@b>", "a", "@b", "a@", ""}) {
    mail = sample();
    mail.to = {address};
    CHECK(kind_of([&] { http::send_mail(sink.address(), mail); }) == ErrorKind::usage);
  }
}

TEST_CASE("a long subject is cut between characters") {
  std::string subject;
  for (int i = 0; i < 100; ++i) {
    subject += "größe ";
  }
  http::Mail mail = sample();
  mail.subject = subject;
  const Sink sink;
  if (!sink.server) {
    return;
  }
  CHECK(http::send_mail(sink.address(), mail).refused.empty());
  CHECK(sink.read(0, "m['subject']").substr(0, 500) == subject.substr(0, 500));
  CHECK(sink.read(0, "max(map(len, r['data'].splitlines())) <= 78") == "True");
}

TEST_CASE("login, STARTTLS and their refusals") {
  const Sink sink(true);
  if (!sink.server) {
    return;
  }
  http::MailServer server = sink.address();
  server.username = "me";
  server.password = "wrong";
  std::string why;
  CHECK(kind_of([&] { http::send_mail(server, sample()); }, &why) == ErrorKind::configuration);
  CHECK(why.find("wrong") == std::string::npos);
  CHECK(sink.is_empty());

  server.password = "right";
  CHECK(http::send_mail(server, sample()).refused.empty());  // encrypted though not asked for
  CHECK(sink.read(0, "r['tls'], r['login']") == "True me");

  server.require_tls = true;  // now the certificate counts, and nobody trusts its authority
  CHECK(kind_of([&] { http::send_mail(server, sample()); }) == ErrorKind::unreachable);
  const test::Variable file("SSL_CERT_FILE", sink.certificate->authority);
  CHECK(http::send_mail(server, sample()).refused.empty());

  const Sink plain;
  http::MailServer without = plain.address();
  without.require_tls = true;
  CHECK(kind_of([&] { http::send_mail(without, sample()); }) == ErrorKind::unreachable);
  CHECK(plain.is_empty());
}

TEST_CASE("a mail server that is not there is unreachable") {
  std::string port;
  {
    const Server gone({"http"});
    port = gone.port();
  }
  http::MailServer server;
  server.url = "smtp://127.0.0.1:" + port;
  CHECK(kind_of([&] { http::send_mail(server, sample()); }) == ErrorKind::unreachable);
  server.url = "http://127.0.0.1:" + port;
  CHECK(kind_of([&] { http::send_mail(server, sample()); }) == ErrorKind::configuration);
}
