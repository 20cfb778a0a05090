// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/sources.hpp"

#include <git2.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <mutex>

#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

constexpr const char* k_branch = "refs/heads/main";
constexpr std::size_t k_shortest_prefix = 4;

template <typename T, void (*Free)(T*)>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
using RepositoryPointer = std::unique_ptr<git_repository, Freer<git_repository, git_repository_free>>;
using CommitPointer = std::unique_ptr<git_commit, Freer<git_commit, git_commit_free>>;
using TreePointer = std::unique_ptr<git_tree, Freer<git_tree, git_tree_free>>;
using BlobPointer = std::unique_ptr<git_blob, Freer<git_blob, git_blob_free>>;
using BuilderPointer = std::unique_ptr<git_treebuilder, Freer<git_treebuilder, git_treebuilder_free>>;
using SignaturePointer = std::unique_ptr<git_signature, Freer<git_signature, git_signature_free>>;

void check(int result, const std::string& action) {
  if (result < 0) {
    const git_error* problem = git_error_last();
    throw Error(ErrorKind::platform,
                {"cannot " + action, problem != nullptr ? problem->message : "the git library gave no reason",
                 "The sources in the service stay as they were.",
                 "Check that the disk of the service's home has space and is writable, and try again."});
  }
}

void load_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    git_libgit2_init();
    // The service's repository obeys nobody's personal settings.
    for (const int level :
         {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA}) {
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
  });
}

std::string to_text(const git_oid& oid) {
  std::string text(GIT_OID_HEXSZ, '0');
  git_oid_fmt(text.data(), &oid);
  return text;
}

}  // namespace

class Sources::Repository {
 public:
  explicit Repository(const std::filesystem::path& path) {
    load_library();
    git_repository* raw = nullptr;
    if (git_repository_open_bare(&raw, path.c_str()) < 0) {
      // Also completes a repository whose creation was cut short.
      check(git_repository_init(&raw, path.c_str(), 1), "create the repository of the sources");
    }
    m_git.reset(raw);
  }

  [[nodiscard]] CommitPointer head() {
    git_oid oid;
    const int result = git_reference_name_to_id(&oid, m_git.get(), k_branch);
    if (result == GIT_ENOTFOUND) {
      return nullptr;
    }
    check(result, "read the sources");
    return commit(oid);
  }

  [[nodiscard]] CommitPointer commit(const git_oid& oid) {
    git_commit* raw = nullptr;
    check(git_commit_lookup(&raw, m_git.get(), &oid), "read the version " + to_text(oid));
    return CommitPointer(raw);
  }

  [[nodiscard]] CommitPointer find_commit(const std::string& sha) {
    git_oid oid;
    git_commit* raw = nullptr;
    if (git_oid_fromstr(&oid, sha.c_str()) < 0 || git_commit_lookup(&raw, m_git.get(), &oid) < 0) {
      return nullptr;
    }
    return CommitPointer(raw);
  }

  [[nodiscard]] static CommitPointer parent(const git_commit* commit) {
    git_commit* raw = nullptr;
    if (git_commit_parentcount(commit) == 0) {
      return nullptr;
    }
    check(git_commit_parent(&raw, commit, 0), "read the history of the sources");
    return CommitPointer(raw);
  }

  /// Id of the job's folder in a commit; empty when it is not there.
  [[nodiscard]] static std::string folder(const git_commit* commit, const std::string& job) {
    if (commit == nullptr) {
      return {};
    }
    git_tree* raw = nullptr;
    check(git_commit_tree(&raw, commit), "read the sources");
    const TreePointer tree(raw);
    const git_tree_entry* entry = git_tree_entry_byname(tree.get(), job.c_str());
    return entry == nullptr ? std::string() : to_text(*git_tree_entry_id(entry));
  }

  [[nodiscard]] git_oid store_folder(const std::filesystem::path& directory) {
    git_treebuilder* raw = nullptr;
    check(git_treebuilder_new(&raw, m_git.get(), nullptr), "store the sources");
    const BuilderPointer builder(raw);
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      const std::string name = entry.path().filename().string();
      git_oid oid;
      git_filemode_t mode = GIT_FILEMODE_TREE;
      if (entry.is_symlink()) {
        continue;
      }
      if (entry.is_directory()) {
        if (std::filesystem::is_empty(entry.path())) {
          continue;  // git knows no empty folders
        }
        oid = store_folder(entry.path());
      } else if (entry.is_regular_file()) {
        const std::string content = files::read(entry.path());
        check(git_blob_create_from_buffer(&oid, m_git.get(), content.data(), content.size()), "store the sources");
        const auto permissions = entry.status().permissions();
        const bool executable = (permissions & std::filesystem::perms::owner_exec) != std::filesystem::perms::none;
        mode = executable ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
      } else {
        continue;
      }
      check(git_treebuilder_insert(nullptr, builder.get(), name.c_str(), &oid, mode), "store the file '" + name + "'");
    }
    git_oid result;
    check(git_treebuilder_write(&result, builder.get()), "store the sources");
    return result;
  }

  /// A new commit on top of `parent` in which the job's folder is `folder`, or is gone.
  [[nodiscard]] std::string replace_folder(const git_commit* parent, const std::string& job, const git_oid* folder,
                                           const std::string& user, const std::string& message, TimePoint now) {
    TreePointer root;
    if (parent != nullptr) {
      git_tree* raw = nullptr;
      check(git_commit_tree(&raw, parent), "read the sources");
      root.reset(raw);
    }
    git_treebuilder* raw_builder = nullptr;
    check(git_treebuilder_new(&raw_builder, m_git.get(), root.get()), "store the sources");
    const BuilderPointer builder(raw_builder);
    if (folder != nullptr) {
      check(git_treebuilder_insert(nullptr, builder.get(), job.c_str(), folder, GIT_FILEMODE_TREE),
            "store the sources");
    } else {
      check(git_treebuilder_remove(builder.get(), job.c_str()), "remove the sources");
    }
    git_oid tree_oid;
    check(git_treebuilder_write(&tree_oid, builder.get()), "store the sources");
    git_tree* raw_tree = nullptr;
    check(git_tree_lookup(&raw_tree, m_git.get(), &tree_oid), "store the sources");
    const TreePointer tree(raw_tree);
    git_signature* raw_signature = nullptr;
    const auto seconds = static_cast<git_time_t>(to_unix_micros(now) / 1'000'000);
    check(git_signature_new(&raw_signature, user.c_str(), (user + "@localhost").c_str(), seconds, 0),
          "store the sources");
    const SignaturePointer signature(raw_signature);
    git_oid oid;
    const git_commit* parents[] = {parent};
    check(git_commit_create(&oid, m_git.get(), k_branch, signature.get(), signature.get(), "UTF-8", message.c_str(),
                            tree.get(), parent == nullptr ? 0 : 1, parents),
          "commit the sources");
    return to_text(oid);
  }

  void write_folder(const git_oid& oid, const std::filesystem::path& directory) {
    git_tree* raw = nullptr;
    check(git_tree_lookup(&raw, m_git.get(), &oid), "read the sources");
    const TreePointer tree(raw);
    std::filesystem::create_directories(directory);
    for (std::size_t i = 0; i < git_tree_entrycount(tree.get()); ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
      const std::filesystem::path path = directory / git_tree_entry_name(entry);
      if (git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
        write_folder(*git_tree_entry_id(entry), path);
      } else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB) {
        write_file(*git_tree_entry_id(entry), path, git_tree_entry_filemode(entry) == GIT_FILEMODE_BLOB_EXECUTABLE);
      }
    }
  }

  /// Calls `visit` with each commit that changed the job's folder and left one, newest first, until it returns false.
  template <typename Visit>
  void walk(const std::string& job, const Visit& visit) {
    CommitPointer commit = head();
    std::string present = folder(commit.get(), job);
    while (commit) {
      CommitPointer before = parent(commit.get());
      std::string former = folder(before.get(), job);
      if (present != former && !present.empty() && !visit(to_text(*git_commit_id(commit.get())))) {
        return;
      }
      commit = std::move(before);
      present = std::move(former);
    }
  }

 private:
  void write_file(const git_oid& oid, const std::filesystem::path& path, bool executable) {
    git_blob* raw = nullptr;
    check(git_blob_lookup(&raw, m_git.get(), &oid), "read the sources");
    const BlobPointer blob(raw);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(static_cast<const char*>(git_blob_rawcontent(blob.get())),
               static_cast<std::streamsize>(git_blob_rawsize(blob.get())));
    file.close();
    if (!file || ::chmod(path.c_str(), executable ? 0755 : 0644) != 0) {
      throw system_error("cannot write '" + path.string() + "'", errno, "Check the space on the disk.");
    }
  }

  RepositoryPointer m_git;
};

namespace {

/// The lock under which references change. Whoever has it is alone, so git's own lock files that are there now belong
/// to a process that was killed, and would refuse every commit for ever.
files::FileLock lock_references(const std::filesystem::path& home) {
  files::FileLock lock = files::FileLock::acquire(home / "sources.lock");
  const auto git = home / "sources.git";
  for (const char* name : {"refs/heads/main.lock", "HEAD.lock", "packed-refs.lock", "config.lock"}) {
    std::error_code ignored;
    std::filesystem::remove(git / name, ignored);
  }
  return lock;
}

}  // namespace

Sources::Sources(std::filesystem::path home, SourceOptions options, std::string user)
    : m_home(std::move(home)), m_options(std::move(options)) {
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
  std::string address = m_options.url;
  if (address.ends_with(".git")) {
    address.resize(address.size() - 4);
  }
  if (address.empty()) {
    return {};
  }
  std::string path = m_options.url_pattern;
  for (const std::string& value : {m_options.branch, job}) {
    if (const auto place = path.find("%s"); place != std::string::npos) {
      path.replace(place, 2, value);
    }
  }
  return address + path;
}

Sources::Repository& Sources::repository() {
  if (!m_repository) {
    const auto path = m_home / "sources.git";
    if (std::filesystem::exists(path / "HEAD")) {
      m_repository = std::make_unique<Repository>(path);
    } else {
      const files::FileLock lock = lock_references(m_home);
      m_repository = std::make_unique<Repository>(path);
    }
  }
  return *m_repository;
}

SourceRecord Sources::commit(const std::string& job, const std::filesystem::path& directory, const std::string& reason,
                             TimePoint now, const std::optional<SourceRecord>& known) {
  Repository& git = repository();
  const git_oid folder = git.store_folder(directory);
  const files::FileLock lock = lock_references(m_home);
  const CommitPointer head = git.head();
  SourceRecord record{to_text(folder), {}};
  if (Repository::folder(head.get(), job) == record.tree_oid) {
    // Trust the note only when it speaks of this very content; the process may have died before it was written.
    record.commit_sha = known && known->tree_oid == record.tree_oid ? known->commit_sha : versions(job, 1).front();
    return record;
  }
  const std::string message = "Update data job: " + job + "\n\n" +
                              (reason.empty() ? "Updating data job: " + job : reason) + "\n\nSigned-off-by: " + m_user +
                              "\n";
  record.commit_sha = git.replace_folder(head.get(), job, &folder, m_user, message, now);
  failpoint("sources.committed");
  return record;
}

void Sources::remove(const std::string& job, TimePoint now, const std::string& reason) {
  if (!std::filesystem::exists(m_home / "sources.git" / "HEAD")) {
    return;
  }
  Repository& git = repository();
  const files::FileLock lock = lock_references(m_home);
  const CommitPointer head = git.head();
  if (!Repository::folder(head.get(), job).empty()) {
    const std::string message = "Delete data job: " + job + "\n\n" +
                                (reason.empty() ? "Deleting data job: " + job : reason) +
                                "\n\nSigned-off-by: " + m_user + "\n";
    (void)git.replace_folder(head.get(), job, nullptr, m_user, message, now);
  }
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
  Repository& git = repository();
  if (Repository::folder(git.head().get(), job).empty()) {
    return std::nullopt;
  }
  return versions(job, 1).front();
}

std::string Sources::resolve(const std::string& job, const std::string& version) {
  Repository& git = repository();
  const std::string wanted = text::lower(text::trim(version));
  if (wanted.size() == GIT_OID_HEXSZ) {
    const CommitPointer commit = git.find_commit(wanted);
    if (commit && !Repository::folder(commit.get(), job).empty()) {
      return wanted;
    }
  }
  const std::vector<std::string> all = versions(job, std::numeric_limits<std::size_t>::max());
  std::vector<std::string> matches;
  if (wanted.size() >= k_shortest_prefix && wanted.size() < GIT_OID_HEXSZ) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(matches),
                 [&](const std::string& sha) { return sha.starts_with(wanted); });
  }
  if (matches.size() == 1) {
    return matches.front();
  }
  std::vector<std::string> shown = matches.empty() ? all : matches;
  shown.resize(std::min<std::size_t>(shown.size(), 5));
  const std::string why = matches.empty() ? "the job has no such version" : "several versions begin with it";
  throw Error(matches.empty() ? ErrorKind::not_found : ErrorKind::usage,
              {"cannot find version '" + version + "' of job '" + job + "'", why,
               "Nothing was deployed; the present deployment stays as it is.",
               shown.empty() ? "Deploy the job's folder first with `vdk deploy -p`."
                             : "Use one of its versions, the newest first: " + text::join(shown, ", ") + "."});
}

void Sources::write(const std::string& job, const std::string& version, const std::filesystem::path& directory) {
  Repository& git = repository();
  const CommitPointer commit = git.find_commit(version);
  const std::string folder = Repository::folder(commit.get(), job);
  git_oid oid;
  if (folder.empty() || git_oid_fromstr(&oid, folder.c_str()) < 0) {
    throw Error(ErrorKind::not_found, {"cannot read version '" + version + "' of job '" + job + "'",
                                       "the repository of the sources does not have it", "Nothing was changed.",
                                       "Deploy the job's folder again with `vdk deploy -p`."});
  }
  git.write_folder(oid, directory);
}

}  // namespace vdk::control
