// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "control/embedded/git_api.hpp"
#include "vdk/core/clock.hpp"

namespace vdk::control::git {

template <typename T, void (**Free)(T*)>
struct Freer {
  void operator()(T* object) const { (*Free)(object); }
};
using RepositoryPointer = std::unique_ptr<::git_repository, Freer<::git_repository, &git_repository_free>>;
using CommitPointer = std::unique_ptr<::git_commit, Freer<::git_commit, &git_commit_free>>;
using TreePointer = std::unique_ptr<::git_tree, Freer<::git_tree, &git_tree_free>>;
using BlobPointer = std::unique_ptr<::git_blob, Freer<::git_blob, &git_blob_free>>;
using BuilderPointer = std::unique_ptr<::git_treebuilder, Freer<::git_treebuilder, &git_treebuilder_free>>;
using SignaturePointer = std::unique_ptr<::git_signature, Freer<::git_signature, &git_signature_free>>;
using ReferencePointer = std::unique_ptr<::git_reference, Freer<::git_reference, &git_reference_free>>;

/// In a shared repository: whoever has it locked is alone in changing references.
constexpr const char* k_lock = "vdk.lock";

/// The library's reason for its last failure in this thread.
[[nodiscard]] std::string last_problem();
/// Error(platform) "cannot ACTION" when `result` says that it failed.
void check(int result, const std::string& action);
[[nodiscard]] std::string to_text(const git_oid& oid);

/// A change of the branch: the folder of `job` becomes `folder`, or goes when that is null.
struct Change {
  std::string job;
  const git_oid* folder = nullptr;
  std::string user;
  std::string message;
  TimePoint now;
};

/// A bare repository on this machine, and one branch of it.
class Repository {
 public:
  /// Creates the repository when it is missing, also completes one whose creation was cut short.
  Repository(const std::filesystem::path& path, const std::string& branch);

  [[nodiscard]] CommitPointer head();
  /// Points the branch at a commit, whatever it was.
  void set_branch(const git_oid& oid) { set_reference(m_branch, oid); }
  void set_reference(const std::string& name, const git_oid& oid);
  [[nodiscard]] CommitPointer commit(const git_oid& oid);
  [[nodiscard]] CommitPointer find_commit(const std::string& sha);
  [[nodiscard]] CommitPointer find_commit(const git_oid& oid);
  [[nodiscard]] bool is_ancestor(const git_oid& old, const git_oid& young);
  [[nodiscard]] static CommitPointer parent(const ::git_commit* commit);
  /// Id of the job's folder in a commit; empty when it is not there.
  [[nodiscard]] static std::string folder(const ::git_commit* commit, const std::string& job);
  [[nodiscard]] git_oid store_folder(const std::filesystem::path& directory);
  /// A new commit on top of `parent` that no branch has yet.
  [[nodiscard]] git_oid create_commit(const ::git_commit* parent, const Change& change);
  /// Makes a commit whose parent is `parent` the head of the branch; false when somebody else was faster.
  [[nodiscard]] bool advance(const git_oid& oid, const ::git_commit* parent);
  void write_folder(const git_oid& oid, const std::filesystem::path& directory);

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

  [[nodiscard]] ::git_repository* handle() { return m_git.get(); }
  [[nodiscard]] const std::string& branch() const { return m_branch; }  ///< refs/heads/...

 private:
  void write_file(const git_oid& oid, const std::filesystem::path& path, bool executable);
  std::string m_branch;
  RepositoryPointer m_git;
};

}  // namespace vdk::control::git
