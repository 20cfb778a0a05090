// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/git_check.hpp"

#include "control/embedded/backup.hpp"
#include "control/embedded/git_repository.hpp"
#include "vdk/core/error.hpp"

namespace vdk::control {

struct GitCheck::Git {
  explicit Git(const EmbeddedOptions& options)
      : repository(repository_path(options), options.sources.branch),
        sources(options.home, options.sources, options.caller.user) {}

  /// True when the tree and everything below it can be read.
  bool read(const git_oid& oid, std::set<std::string>& whole) {
    if (whole.contains(git::to_text(oid))) {
      return true;
    }
    git_tree* raw = nullptr;
    if (git::git_tree_lookup(&raw, repository.handle(), &oid) < 0) {
      return false;
    }
    const git::TreePointer tree(raw);
    for (std::size_t i = 0; i < git::git_tree_entrycount(tree.get()); ++i) {
      const git_tree_entry* entry = git::git_tree_entry_byindex(tree.get(), i);
      const git_oid& id = *git::git_tree_entry_id(entry);
      const bool is_tree = git::git_tree_entry_type(entry) == GIT_OBJECT_TREE;
      if (!(is_tree ? read(id, whole) : read_file(id))) {
        return false;
      }
    }
    whole.insert(git::to_text(oid));
    return true;
  }

  bool read_file(const git_oid& oid) {
    git_blob* raw = nullptr;
    if (git::git_blob_lookup(&raw, repository.handle(), &oid) < 0) {
      return false;
    }
    const git::BlobPointer blob(raw);
    return true;
  }

  git::Repository repository;
  Sources sources;
};

GitCheck::GitCheck(const EmbeddedOptions& options) : m_options(options) {}

GitCheck::~GitCheck() = default;

std::string GitCheck::folder(const std::string& job, const std::string& version) {
  if (!m_git) {
    m_git = std::make_unique<Git>(m_options);
  }
  try {
    // Fetches it first when it is in a remote repository only.
    const std::string whole = m_git->sources.resolve(job, version);
    return git::Repository::folder(m_git->repository.find_commit(whole).get(), job);
  } catch (const Error& problem) {
    if (problem.kind() == ErrorKind::unreachable) {
      throw;
    }
    return {};
  }
}

std::optional<std::string> GitCheck::problem(const std::string& job, const std::string& version) {
  const std::string tree = folder(job, version);
  git_oid oid;
  if (tree.empty() || git::git_oid_fromstr(&oid, tree.c_str()) < 0) {
    return "is not in the repository of the sources";
  }
  if (!m_git->read(oid, m_whole)) {
    return "is damaged in the repository of the sources";
  }
  return std::nullopt;
}

}  // namespace vdk::control
