// SPDX-License-Identifier: Apache-2.0
// What follows from several keys together.
#include <algorithm>

#include "control/server/config_keys.hpp"
#include "control/server/config_values.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::server_config {
namespace {

class Finisher {
 public:
  Finisher(Draft& draft, const GivenValues& given, std::vector<ConfigProblem>& problems)
      : m_draft(draft), m_given(given), m_problems(problems) {}

  void database() {
    auto& database = m_draft.config.embedded.database;
    const bool jdbc = m_draft.database_url.empty();
    const std::string key = jdbc ? "database.jdbcUrl" : "database.url";
    std::string url = jdbc ? m_draft.database_jdbc_url : m_draft.database_url;
    if (url.starts_with("jdbc:")) {
      url = url.substr(5);
    }
    if (!m_draft.database_jdbc_url.empty() && !jdbc && m_draft.database_jdbc_url != "jdbc:" + url) {
      refuse("database.jdbcUrl", {"database.url and database.jdbcUrl name different databases", "keep one of the two"});
    }
    if (url.starts_with("postgres://")) {
      url = "postgresql://" + url.substr(11);
    }
    if (!url.empty() && !url.starts_with("postgresql://")) {
      refuse(key, {"this is no PostgreSQL address",
                   "write postgresql://HOST:PORT/NAME, or leave the key out for SQLite in the home folder"});
      return;
    }
    if (url.empty()) {
      if (has("database.username") || has("database.password") || has("database.passwordFile")) {
        refuse(has("database.username") ? "database.username" : "database.password",
               {"there is a login but no address of a database", "add database.url: postgresql://HOST:PORT/NAME"});
      }
      return;
    }
    take_login(url, key);
    const std::string rest = url.substr(13, url.find('?') == std::string::npos ? url.npos : url.find('?') - 13);
    if (rest.find('/') == std::string::npos || rest.ends_with("/")) {
      refuse(key, {"the address does not name a database", "write postgresql://HOST:PORT/NAME"});
    }
    database.url = url;
  }

  void sources() {
    auto& sources = m_draft.config.embedded.sources;
    const bool writer = !m_draft.upload_user.empty() || !m_draft.upload_password.empty();
    sources.username = writer ? m_draft.upload_user : m_draft.git_user;
    sources.password = writer ? m_draft.upload_password : m_draft.git_password;
  }

  void mail() {
    auto& notifications = m_draft.config.embedded.notifications;
    if (m_draft.mail_host.empty()) {
      return;
    }
    const bool ipv6 = m_draft.mail_host.find(':') != std::string::npos && !m_draft.mail_host.starts_with("[");
    notifications.mail.url = m_draft.mail_protocol + "://" +
                             (ipv6 ? "[" + m_draft.mail_host + "]" : m_draft.mail_host) + ":" +
                             std::to_string(m_draft.mail_port);
    if (notifications.owner_email.empty() && !has("notificationOwnerEmail")) {
      refuse("mail.smtp.host", {"there is a mail server but no sender", "add notificationOwnerEmail: ADDRESS"});
    }
    if (m_draft.mail_login && notifications.mail.username.empty()) {
      refuse("mail.smtp.auth", {"there is no user to log in with", "add mail.smtp.user and mail.smtp.passwordFile"});
    }
    if (!m_draft.mail_login && !notifications.mail.username.empty()) {
      refuse("mail.smtp.user",
             {"the user is not used, because mail.smtp.auth is false", "set mail.smtp.auth: true", true});
      notifications.mail.username.clear();
      notifications.mail.password.clear();
    }
  }

  void resources() {
    const Resources& wanted = m_draft.config.embedded.default_resources;
    const std::string section = "deploymentDefaultDataJobsResources.requests.";
    if (wanted.cpu_request && wanted.cpu_limit && *wanted.cpu_request > *wanted.cpu_limit) {
      refuse(section + "cpu", {"the request is above the limit", "raise the limit, or lower the request"});
    }
    if (wanted.memory_request && wanted.memory_limit && *wanted.memory_request > *wanted.memory_limit) {
      refuse(section + "memory", {"the request is above the limit", "raise the limit, or lower the request"});
    }
  }

  void synchronizer() {
    const std::string key = "dataJob.deployment.configuration.synchronizationTask.enabled";
    m_draft.config.embedded.synchronizer.enabled = m_draft.synchronize || !m_draft.writes_database;
    if (!m_draft.synchronize && m_draft.writes_database) {
      refuse(key, {"this server rolls nothing out", "another server on the same database must", true});
    } else if (!m_draft.synchronize) {
      refuse(key, {"false is ignored, because persistence.writeTos has no DB: the original rolls out by itself then",
                   "write writeTos: DB to switch roll-outs off here", true});
    }
  }

  void security() {
    SecurityOptions& security = m_draft.config.rest.security;
    security.issuers = m_draft.issuers;
    if (!m_draft.issuer.empty() &&
        std::find(security.issuers.begin(), security.issuers.end(), m_draft.issuer) == security.issuers.end()) {
      security.issuers.push_back(m_draft.issuer);
    }
    if (!security.enabled) {
      if (!security.page.client_id.empty()) {
        refuse("security.page.clientId",
               {"the page's login is not used, because nobody needs one", "set security.enabled: true", true});
      }
      return;
    }
    if (security.page.client_id.empty() && has("security.page.clientSecret")) {
      refuse("security.page.clientSecret", {"there is a secret but no client", "add security.page.clientId"});
    }
    if (security.issuers.empty()) {
      refuse("security.enabled",
             {"there is no issuer whose logins count", "add security.oauth2.jwtIssuerUris: https://LOGIN.EXAMPLE.COM"});
    }
    if (security.audience.empty() && !security.issuers.empty()) {
      refuse("security.enabled", {"a login of these issuers counts whatever service it was made for",
                                  "set security.oauth2.audience", true});
    }
    if (security.teams_claim.empty()) {
      refuse("security.authorization.teamsClaimName",
             {"everybody who is logged in may read and change the jobs of all teams",
              "name the claim that holds a person's teams", true});
    }
  }

  void encryption() {
    if (has("tls.certificate") != has("tls.key")) {
      const bool certificate = has("tls.certificate");
      refuse(certificate ? "tls.certificate" : "tls.key",
             {certificate ? "there is a certificate but no key" : "there is a key but no certificate",
              certificate ? "add tls.key: FILE" : "add tls.certificate: FILE"});
    }
  }

  void webhooks() {
    WebhookSettings& hooks = m_draft.config.rest.security.webhooks;
    webhook(hooks.authorization, "security.authorization.webhookUri",
            "security.authorization.webhookAuthenticationEnabled");
    webhook(hooks.post_create, "webHooks.postCreate.webhookUri", "webHooks.postCreate.authenticationEnabled");
    webhook(hooks.post_delete, "webHooks.postDelete.webhookUri", "webHooks.postDelete.authenticationEnabled");
    const std::string key = "security.authorizationEnabled";
    if (!m_draft.asks_webhook) {
      hooks.authorization.uri.clear();
    } else if (hooks.authorization.uri.empty()) {
      refuse(key, {"there is no webhook to ask", "add security.authorization.webhookUri: https://HOST/PATH"});
    } else if (!m_draft.config.rest.security.enabled) {
      refuse(key, {"the webhook is not asked, because nobody needs a login", "set security.enabled: true", true});
    }
  }

  void python() {
    const ServerConfig& config = m_draft.config;
    std::vector<std::string> names;
    for (const PythonVersion& version : config.supported_python_versions) {
      names.push_back(version.version);
    }
    if (!names.empty() && !config.default_python_version.empty() &&
        std::find(names.begin(), names.end(), config.default_python_version) == names.end()) {
      const auto near = text::nearest(config.default_python_version, names);
      refuse("defaultPythonVersion",
             {"version " + config.default_python_version + " is not among the supported ones",
              near ? "did you mean " + *near + "?" : "write one of " + text::join(names, ", ")});
    }
  }

 private:
  /// Inside a cluster plain http is usual; a token is never sent that way.
  void webhook(const WebhookOptions& hook, const std::string& uri, const std::string& authentication) {
    if (hook.uri.empty() || !check_safe_address(hook.uri)) {
      return;
    }
    if (hook.authenticate) {
      refuse(authentication, {"the token would be sent in clear text", "use an https address"});
    } else {
      refuse(uri,
             {"whoever is on the way can read the questions and change the answers", "use an https address", true});
    }
  }

  [[nodiscard]] bool has(const std::string& key) const { return m_given.contains(key); }

  void refuse(const std::string& key, Mistake mistake) {
    m_problems.push_back(problem_of(m_given, key, std::move(mistake)));
  }

  /// A user and a password in the address move to where they are never shown.
  void take_login(std::string& url, const std::string& key) {
    auto& database = m_draft.config.embedded.database;
    const auto start = std::string("postgresql://").size();
    const auto end = std::min(url.find('/', start), url.find('?', start));
    const auto at = url.rfind('@', end);
    if (at == std::string::npos || at < start) {
      return;
    }
    const std::string login = url.substr(start, at - start);
    const auto colon = login.find(':');
    if (colon != std::string::npos) {
      if (database.password.empty()) {
        database.password = decode(login.substr(colon + 1));
      }
      refuse(key, {"the address has a password in it", "use database.passwordFile or its variable", true});
    }
    if (database.username.empty()) {
      database.username = decode(login.substr(0, colon));
    }
    url.erase(start, at - start + 1);
  }

  static std::string decode(const std::string& text) {
    constexpr int hexadecimal = 16;
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
          std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0) {
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, hexadecimal));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  Draft& m_draft;
  const GivenValues& m_given;
  std::vector<ConfigProblem>& m_problems;
};

}  // namespace

ConfigProblem problem_of(const GivenValues& given, const std::string& key, Mistake mistake) {
  ConfigProblem problem{
      .key = key, .message = std::move(mistake.message), .hint = std::move(mistake.hint), .warning = mistake.warning};
  if (const auto found = given.find(key); found != given.end()) {
    problem.key = found->second.shown_key;
    problem.line = found->second.line;
    problem.column = found->second.column;
  }
  return problem;
}

void finish(Draft& draft, const GivenValues& given, std::vector<ConfigProblem>& problems) {
  Finisher finisher(draft, given, problems);
  finisher.python();
  finisher.database();
  finisher.sources();
  finisher.mail();
  finisher.resources();
  finisher.synchronizer();
  finisher.security();
  finisher.encryption();
  finisher.webhooks();
}

}  // namespace vdk::control::server_config
