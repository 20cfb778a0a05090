// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/git_remote.hpp"

#include <filesystem>

#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::git {
namespace {

using RemotePointer = std::unique_ptr<::git_remote, Freer<::git_remote, &git_remote_free>>;

/// Holds what is pushed until the remote has it; libgit2 pushes references only.
constexpr const char* k_outgoing = "refs/vdk/outgoing";
/// Keeps what was fetched reachable in the mirror.
constexpr const char* k_incoming = "refs/vdk/incoming";

/// What the callbacks of one conversation share.
struct Conversation {
  const SourceOptions& options;
  int logins = 0;
  std::string rejected;
};

int ssh_key(git_credential** out, const std::string& user, int attempt) {
  if (attempt == 0) {
    return git_credential_ssh_key_from_agent(out, user.c_str());
  }
  int number = 0;
  for (const char* name : {"id_ed25519", "id_ecdsa", "id_rsa"}) {
    const auto key = files::home_directory() / ".ssh" / name;
    std::error_code ignored;
    if (std::filesystem::exists(key, ignored) && ++number == attempt) {
      return git_credential_ssh_key_new(out, user.c_str(), nullptr, key.c_str(), nullptr);
    }
  }
  git_error_set_str(GIT_ERROR_SSH, "no key of this user is accepted");
  return GIT_EAUTH;
}

/// Asked again and again until the remote is content, so each answer is given once.
int log_in(git_credential** out, const char* /*url*/, const char* user_in_url, unsigned allowed, void* payload) {
  auto& conversation = *static_cast<Conversation*>(payload);
  const SourceOptions& options = conversation.options;
  std::string user = !options.username.empty() ? options.username : user_in_url != nullptr ? user_in_url : "";
  if ((allowed & GIT_CREDENTIAL_USERNAME) != 0U) {
    return git_credential_username_new(out, user.empty() ? "git" : user.c_str());
  }
  const int attempt = conversation.logins++;
  if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0U && !options.password.empty()) {
    if (attempt > 0) {
      git_error_set_str(GIT_ERROR_HTTP, "it refuses the user name or the password");
      return GIT_EAUTH;
    }
    return git_credential_userpass_plaintext_new(out, user.c_str(), options.password.c_str());
  }
  if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0U) {
    return ssh_key(out, user.empty() ? "git" : user, attempt);
  }
  git_error_set_str(GIT_ERROR_HTTP, "it wants a user name and a password, and none is configured");
  return GIT_EAUTH;
}

int note_rejection(const char* reference, const char* status, void* payload) {
  if (status != nullptr) {
    static_cast<Conversation*>(payload)->rejected = std::string(reference) + ": " + status;
  }
  return 0;
}

git_remote_callbacks callbacks(Conversation& conversation) {
  git_remote_callbacks result;
  git_remote_init_callbacks(&result, GIT_REMOTE_CALLBACKS_VERSION);
  result.credentials = log_in;
  result.push_update_reference = note_rejection;
  result.payload = &conversation;
  return result;
}

RemotePointer open_remote(Repository& mirror, const std::string& url) {
  ::git_remote* raw = nullptr;
  check(git_remote_create_anonymous(&raw, mirror.handle(), url.c_str()), "use the address of the sources");
  return RemotePointer(raw);
}

}  // namespace

std::string shown_address(std::string address) {
  const auto scheme = address.find("://");
  if (scheme != std::string::npos) {
    const auto authority = scheme + 3;
    const auto at = address.substr(0, address.find('/', authority)).rfind('@');
    if (at != std::string::npos && at > authority) {
      address.erase(authority, at + 1 - authority);
    }
  }
  return address;
}

Error Remote::unreachable(const std::string& action) const {
  std::string why = text::replace_all(last_problem(), m_options.url, shown_address(m_options.url));
  if (!m_options.password.empty()) {
    why = text::replace_all(why, m_options.password, "***");
  }
  return {ErrorKind::unreachable,
          {"cannot " + action + " '" + shown_address(m_options.url) + "'", why, "The sources stay as they were.",
           "Check that the git server can be reached, and the address, user name and password of the sources in the "
           "server's configuration."}};
}

std::optional<git_oid> Remote::fetch() {
  Conversation conversation{m_options, 0, {}};
  const RemotePointer remote = open_remote(m_mirror, m_options.url);
  git_fetch_options options;
  git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
  options.callbacks = callbacks(conversation);
  options.proxy_opts.type = GIT_PROXY_AUTO;
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  if (git_remote_connect(remote.get(), GIT_DIRECTION_FETCH, &options.callbacks, &options.proxy_opts, nullptr) < 0 ||
      git_remote_ls(&heads, &count, remote.get()) < 0) {
    throw unreachable("read the sources at");
  }
  std::optional<git_oid> head;
  for (std::size_t i = 0; i < count; ++i) {
    if (m_mirror.branch() == heads[i]->name) {
      head = heads[i]->oid;
    }
  }
  if (head && !m_mirror.find_commit(*head)) {
    std::string specification = "+" + m_mirror.branch() + ":" + k_incoming;
    char* specifications[] = {specification.data()};
    const git_strarray wanted{specifications, 1};
    conversation.logins = 0;
    if (git_remote_fetch(remote.get(), &wanted, &options, nullptr) < 0) {
      throw unreachable("read the sources at");
    }
    // The branch may have moved on since it was listed.
    git_oid fetched;
    check(git_reference_name_to_id(&fetched, m_mirror.handle(), k_incoming), "read what was fetched");
    head = fetched;
  }
  git_remote_disconnect(remote.get());
  return head;
}

std::optional<std::string> Remote::push(const git_oid& oid) {
  Conversation conversation{m_options, 0, {}};
  m_mirror.set_reference(k_outgoing, oid);
  const RemotePointer remote = open_remote(m_mirror, m_options.url);
  git_push_options options;
  git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
  options.callbacks = callbacks(conversation);
  options.proxy_opts.type = GIT_PROXY_AUTO;
  std::string specification = std::string(k_outgoing) + ":" + m_mirror.branch();
  char* specifications[] = {specification.data()};
  const git_strarray wanted{specifications, 1};
  const int result = git_remote_push(remote.get(), &wanted, &options);
  if (result == GIT_ENONFASTFORWARD) {
    return "the branch has moved on";
  }
  if (result < 0 && conversation.rejected.empty()) {
    throw unreachable("store the sources at");
  }
  return conversation.rejected.empty() ? std::nullopt : std::optional(conversation.rejected);
}

}  // namespace vdk::control::git
