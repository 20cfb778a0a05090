// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/sources.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <thread>

#include "control/embedded/git_remote.hpp"
#include "control/embedded/git_repository.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

namespace fs = std::filesystem;
using git::Repository;

constexpr std::size_t k_shortest_prefix = 4;
constexpr int k_attempts = 15;
constexpr std::string_view k_file_scheme = "file://";
/// Other programs may work on a shared repository too; they hold a lock file for moments only.
constexpr std::chrono::minutes k_stale_lock{2};

/// host:path and user@host:path are git's short form for ssh.
bool is_address(const std::string& url) {
  const auto colon = url.find(':');
  return url.find("://") != std::string::npos || (colon != std::string::npos && url.find('/') > colon);
}

/// Somebody else was faster: give way for a moment, a longer one each time.
void give_way(int attempt) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const int most = std::min(20 << std::min(attempt, 6), 1000);
  std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(most / 4, most)(random)));
}

void remove_stale_lock(const fs::path& file, bool shared) {
  std::error_code error;
  const auto written = fs::last_write_time(file, error);
  if (!error && (!shared || fs::file_time_type::clock::now() - written > k_stale_lock)) {
    fs::remove(file, error);
  }
}

git_oid to_oid(const std::string& text) {
  git_oid oid;
  git::check(git::git_oid_fromstr(&oid, text.c_str()), "read the version " + text);
  return oid;
}

}  // namespace

Sources::Sources(fs::path home, SourceOptions options, std::string user)
    : m_home(std::move(home)), m_options(std::move(options)) {
  if (m_options.url.starts_with(k_file_scheme)) {
    m_options.url.erase(0, k_file_scheme.size());  // the shared path needs no second copy
  }
  m_remote = is_address(m_options.url);
  set_user(std::move(user));
}

Sources::~Sources() = default;

void Sources::set_user(std::string user) {
  m_user = std::move(user);
  // git refuses these in a name
  std::erase_if(m_user, [](char c) { return c == '<' || c == '>' || c == '\n'; });
  if (text::trim(m_user).empty()) {
    m_user = "vdk";
  }
}

std::string Sources::url(const std::string& job) const {
  std::string address = git::shown_address(m_options.url);
  if (address.ends_with(".git")) {
    address.resize(address.size() - 4);
  }
  if (address.empty()) {
    return {};
  }
  std::string path = m_options.url_pattern;
  std::size_t from = 0;
  for (const std::string& value : {m_options.branch, job}) {
    if (const auto place = path.find("%s", from); place != std::string::npos) {
      path.replace(place, 2, value);
      from = place + value.size();
    }
  }
  return address + path;
}

fs::path Sources::path() const {
  return m_remote || m_options.url.empty() ? m_home / "sources.git" : m_home / m_options.url;
}

files::FileLock Sources::lock_references() const {
  const bool shared = !m_remote && !m_options.url.empty();
  if (shared) {
    fs::create_directories(path());
  }
  files::FileLock lock = files::FileLock::acquire(shared ? path() / git::k_lock : m_home / "sources.lock");
  // Whoever has the lock is alone, so git's own lock files that are there now belong to a process that was killed, and
  // would refuse every commit for ever.
  const std::string branch = "refs/heads/" + m_options.branch + ".lock";
  for (const std::string& name :
       {branch, std::string("HEAD.lock"), std::string("packed-refs.lock"), std::string("config.lock"),
        std::string("refs/vdk/outgoing.lock"), std::string("refs/vdk/incoming.lock")}) {
    remove_stale_lock(path() / name, shared);
  }
  return lock;
}

Repository& Sources::repository() {
  if (!m_repository) {
    if (fs::exists(path() / "HEAD")) {
      m_repository = std::make_unique<Repository>(path(), m_options.branch);
    } else {
      const files::FileLock lock = lock_references();
      m_repository = std::make_unique<Repository>(path(), m_options.branch);
    }
  }
  return *m_repository;
}

void Sources::pull() {
  Repository& git = repository();
  const auto wanted = git::Remote(git, m_options).fetch();
  const git::CommitPointer head = git.head();
  if (!wanted || (head && git::to_text(*git::git_commit_id(head.get())) == git::to_text(*wanted))) {
    return;  // a remote repository without the branch gets what is here with the first push
  }
  if (head && !git.is_ancestor(*git::git_commit_id(head.get()), *wanted)) {
    // The history over there was written anew. Deployments still name the commits of the old one.
    const std::string old = git::to_text(*git::git_commit_id(head.get()));
    git.set_reference("refs/vdk/replaced/" + old, *git::git_commit_id(head.get()));
  }
  git.set_branch(*wanted);
}

bool Sources::refresh() {
  if (m_remote) {
    (void)repository();
    const files::FileLock lock = lock_references();
    pull();
  }
  return m_remote;
}

bool Sources::publish(const std::string& commit, const std::string& parent) {
  Repository& git = repository();
  const git_oid oid = to_oid(commit);
  if (!m_remote) {
    return git.advance(oid, git.find_commit(parent).get());
  }
  const auto rejected = git::Remote(git, m_options).push(oid);
  if (!rejected) {
    failpoint("sources.pushed");
    git.set_branch(oid);
    return true;
  }
  pull();
  const git::CommitPointer head = git.head();
  if ((head ? git::to_text(*git::git_commit_id(head.get())) : std::string()) == parent) {
    throw Error(ErrorKind::platform,
                {"cannot store the sources at '" + git::shown_address(m_options.url) + "'",
                 "the git server refuses the change: " + *rejected, "The sources stay as they were.",
                 "Allow the user of the service to push to the branch '" + m_options.branch + "'."});
  }
  return false;
}

std::optional<std::string> Sources::replace(const std::string& job, const std::string& tree_oid,
                                            const std::string& message, TimePoint now) {
  Repository& git = repository();
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    if (m_remote && attempt == 0) {
      pull();
    }
    const git::CommitPointer head = git.head();
    if (Repository::folder(head.get(), job) == tree_oid) {
      return std::nullopt;
    }
    git_oid folder{};
    if (!tree_oid.empty()) {
      folder = to_oid(tree_oid);
    }
    const git_oid oid =
        git.create_commit(head.get(), {job, tree_oid.empty() ? nullptr : &folder, m_user, message, now});
    if (publish(git::to_text(oid), head ? git::to_text(*git::git_commit_id(head.get())) : std::string())) {
      failpoint("sources.committed");
      return git::to_text(oid);
    }
    give_way(attempt);
  }
  throw Error(ErrorKind::platform,
              {"cannot store the sources of '" + job + "'",
               "others changed the branch '" + m_options.branch + "' at the same time, again and again",
               "The sources stay as they were.", "Try again in a moment."});
}

SourceRecord Sources::commit(const std::string& job, const fs::path& directory, const std::string& reason,
                             TimePoint now, const std::optional<SourceRecord>& known) {
  SourceRecord record{git::to_text(repository().store_folder(directory)), {}};
  const std::string message = "Update data job: " + job + "\n\n" +
                              (reason.empty() ? "Updating data job: " + job : reason) + "\n\nSigned-off-by: " + m_user +
                              "\n";
  const files::FileLock lock = lock_references();
  if (const auto version = replace(job, record.tree_oid, message, now)) {
    record.commit_sha = *version;
    return record;
  }
  // Trust the note only when it speaks of this very content; the process may have died before it was written.
  const bool trusted =
      known && known->tree_oid == record.tree_oid && repository().find_commit(known->commit_sha) != nullptr;
  record.commit_sha = trusted ? known->commit_sha : versions(job, 1).front();
  return record;
}

void Sources::remove(const std::string& job, TimePoint now, const std::string& reason) {
  if (!m_remote && !fs::exists(path() / "HEAD")) {
    return;
  }
  (void)repository();
  const std::string message = "Delete data job: " + job + "\n\n" +
                              (reason.empty() ? "Deleting data job: " + job : reason) + "\n\nSigned-off-by: " + m_user +
                              "\n";
  const files::FileLock lock = lock_references();
  (void)replace(job, {}, message, now);
}

std::vector<std::string> Sources::versions(const std::string& job, std::size_t limit) {
  std::vector<std::string> result;
  repository().walk(job, [&](const std::string& sha) {
    result.push_back(sha);
    return result.size() < limit;
  });
  return result;
}

std::optional<std::string> Sources::head_version(const std::string& job) {
  (void)refresh();
  if (Repository::folder(repository().head().get(), job).empty()) {
    return std::nullopt;
  }
  return versions(job, 1).front();
}

std::optional<std::string> Sources::find(const std::string& job, const std::string& version,
                                         std::vector<std::string>& candidates) {
  if (version.size() == GIT_OID_HEXSZ) {
    const git::CommitPointer commit = repository().find_commit(version);
    if (commit && !Repository::folder(commit.get(), job).empty()) {
      return version;
    }
  }
  const std::vector<std::string> all = versions(job, std::numeric_limits<std::size_t>::max());
  candidates.clear();
  if (version.size() >= k_shortest_prefix && version.size() < GIT_OID_HEXSZ) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(candidates),
                 [&](const std::string& sha) { return sha.starts_with(version); });
  }
  return candidates.size() == 1 ? std::optional(candidates.front()) : std::nullopt;
}

std::string Sources::resolve(const std::string& job, const std::string& version) {
  const std::string wanted = text::lower(text::trim(version));
  std::vector<std::string> matches;
  auto found = find(job, wanted, matches);
  if (!found && refresh()) {
    found = find(job, wanted, matches);
  }
  if (found) {
    return *found;
  }
  const bool unknown = matches.empty();
  std::vector<std::string> shown = unknown ? versions(job, 5) : matches;
  shown.resize(std::min<std::size_t>(shown.size(), 5));
  throw Error(unknown ? ErrorKind::not_found : ErrorKind::usage,
              {"cannot find version '" + version + "' of job '" + job + "'",
               unknown ? "the job has no such version" : "several versions begin with it",
               "Nothing was deployed; the present deployment stays as it is.",
               shown.empty() ? "Deploy the job's folder first with `vdk deploy -p`."
                             : "Use one of its versions, the newest first: " + text::join(shown, ", ") + "."});
}

void Sources::write(const std::string& job, const std::string& version, const fs::path& directory) {
  Repository& git = repository();
  git::CommitPointer commit = git.find_commit(version);
  if (!commit && refresh()) {
    commit = git.find_commit(version);
  }
  const std::string folder = Repository::folder(commit.get(), job);
  if (folder.empty()) {
    throw Error(ErrorKind::not_found, {"cannot read version '" + version + "' of job '" + job + "'",
                                       "the repository of the sources does not have it", "Nothing was changed.",
                                       "Deploy the job's folder again with `vdk deploy -p`."});
  }
  git.write_folder(to_oid(folder), directory);
}

}  // namespace vdk::control
