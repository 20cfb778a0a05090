// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/git_repository.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>

#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace vdk::control::git {
namespace {

namespace fs = std::filesystem;

constexpr unsigned k_private = 0700;

Error not_a_repository(const fs::path& path) {
  return {ErrorKind::configuration,
          {"cannot use '" + path.string() + "' for the sources of data jobs", "it is not a bare git repository",
           "Nothing was read or stored.",
           "Name a folder that is empty or missing, or one that `git init --bare` or `git clone --bare` made."}};
}

/// A folder with anything else in it belongs to somebody else; what a creation that was cut short leaves does not.
void check_place(const fs::path& path) {
  if (!fs::exists(path)) {
    return;
  }
  bool foreign = !fs::is_directory(path);
  for (fs::directory_iterator entry(path), end; !foreign && entry != end; ++entry) {
    const std::string name = entry->path().filename().string();
    foreign = name != k_lock && name != "objects" && name != "refs" && name != "config" && name != "HEAD" &&
              name != "info" && name != "hooks" && name != "description";
  }
  if (foreign) {
    throw not_a_repository(path);
  }
}

RepositoryPointer open(const fs::path& path, const std::string& branch) {
  load_library();
  ::git_repository* raw = nullptr;
  if (git_repository_open_bare(&raw, path.c_str()) < 0) {
    git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
    options.initial_head = branch.c_str();
    check_place(path);
    if (!fs::exists(path)) {
      fs::create_directories(path.parent_path());
      ::mkdir(path.c_str(), k_private);
    }
    check(git_repository_init_ext(&raw, path.c_str(), &options), "create the repository of the sources");
  }
  return RepositoryPointer(raw);
}

}  // namespace

std::string last_problem() {
  const git_error* problem = git_error_last();
  return problem != nullptr ? problem->message : "the git library gave no reason";
}

void check(int result, const std::string& action) {
  if (result < 0) {
    throw Error(ErrorKind::platform,
                {"cannot " + action, last_problem(), "The sources in the service stay as they were.",
                 "Check that the disk of the service's home has space and is writable, and try again."});
  }
}

std::string to_text(const git_oid& oid) {
  std::string text(GIT_OID_HEXSZ, '0');
  git_oid_fmt(text.data(), &oid);
  return text;
}

Repository::Repository(const fs::path& path, const std::string& branch)
    : m_branch("refs/heads/" + branch), m_git(open(path, branch)) {}

CommitPointer Repository::head() {
  git_oid oid;
  const int result = git_reference_name_to_id(&oid, m_git.get(), m_branch.c_str());
  if (result == GIT_ENOTFOUND) {
    return nullptr;
  }
  check(result, "read the sources");
  return commit(oid);
}

void Repository::set_reference(const std::string& name, const git_oid& oid) {
  ::git_reference* raw = nullptr;
  check(git_reference_create(&raw, m_git.get(), name.c_str(), &oid, 1, nullptr), "store the sources");
  const ReferencePointer reference(raw);
}

CommitPointer Repository::commit(const git_oid& oid) {
  ::git_commit* raw = nullptr;
  check(git_commit_lookup(&raw, m_git.get(), &oid), "read the version " + to_text(oid));
  return CommitPointer(raw);
}

CommitPointer Repository::find_commit(const git_oid& oid) {
  ::git_commit* raw = nullptr;
  return git_commit_lookup(&raw, m_git.get(), &oid) < 0 ? nullptr : CommitPointer(raw);
}

CommitPointer Repository::find_commit(const std::string& sha) {
  git_oid oid;
  return git_oid_fromstr(&oid, sha.c_str()) < 0 ? nullptr : find_commit(oid);
}

bool Repository::is_ancestor(const git_oid& old, const git_oid& young) {
  return git_oid_equal(&old, &young) != 0 || git_graph_descendant_of(m_git.get(), &young, &old) == 1;
}

CommitPointer Repository::parent(const ::git_commit* commit) {
  ::git_commit* raw = nullptr;
  if (git_commit_parentcount(commit) == 0) {
    return nullptr;
  }
  check(git_commit_parent(&raw, commit, 0), "read the history of the sources");
  return CommitPointer(raw);
}

std::string Repository::folder(const ::git_commit* commit, const std::string& job) {
  if (commit == nullptr) {
    return {};
  }
  ::git_tree* raw = nullptr;
  check(git_commit_tree(&raw, commit), "read the sources");
  const TreePointer tree(raw);
  const git_tree_entry* entry = git_tree_entry_byname(tree.get(), job.c_str());
  return entry == nullptr ? std::string() : to_text(*git_tree_entry_id(entry));
}

git_oid Repository::store_folder(const fs::path& directory) {
  ::git_treebuilder* raw = nullptr;
  check(git_treebuilder_new(&raw, m_git.get(), nullptr), "store the sources");
  const BuilderPointer builder(raw);
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    git_oid oid;
    git_filemode_t mode = GIT_FILEMODE_TREE;
    if (entry.is_symlink()) {
      continue;
    }
    if (entry.is_directory()) {
      if (fs::is_empty(entry.path())) {
        continue;  // git knows no empty folders
      }
      oid = store_folder(entry.path());
    } else if (entry.is_regular_file()) {
      const std::string content = files::read(entry.path());
      check(git_blob_create_from_buffer(&oid, m_git.get(), content.data(), content.size()), "store the sources");
      const bool executable = (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
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

git_oid Repository::create_commit(const ::git_commit* parent, const Change& change) {
  TreePointer root;
  if (parent != nullptr) {
    ::git_tree* raw = nullptr;
    check(git_commit_tree(&raw, parent), "read the sources");
    root.reset(raw);
  }
  ::git_treebuilder* raw_builder = nullptr;
  check(git_treebuilder_new(&raw_builder, m_git.get(), root.get()), "store the sources");
  const BuilderPointer builder(raw_builder);
  if (change.folder != nullptr) {
    check(git_treebuilder_insert(nullptr, builder.get(), change.job.c_str(), change.folder, GIT_FILEMODE_TREE),
          "store the sources");
  } else {
    check(git_treebuilder_remove(builder.get(), change.job.c_str()), "remove the sources");
  }
  git_oid tree_oid;
  check(git_treebuilder_write(&tree_oid, builder.get()), "store the sources");
  ::git_tree* raw_tree = nullptr;
  check(git_tree_lookup(&raw_tree, m_git.get(), &tree_oid), "store the sources");
  const TreePointer tree(raw_tree);
  ::git_signature* raw_signature = nullptr;
  const auto seconds = static_cast<git_time_t>(to_unix_micros(change.now) / 1'000'000);
  check(git_signature_new(&raw_signature, change.user.c_str(), (change.user + "@localhost").c_str(), seconds, 0),
        "store the sources");
  const SignaturePointer signature(raw_signature);
  git_oid oid;
  const ::git_commit* parents[] = {parent};
  check(git_commit_create(&oid, m_git.get(), nullptr, signature.get(), signature.get(), "UTF-8", change.message.c_str(),
                          tree.get(), parent == nullptr ? 0 : 1, parents),
        "commit the sources");
  return oid;
}

bool Repository::advance(const git_oid& oid, const ::git_commit* parent) {
  ::git_reference* raw = nullptr;
  int result = 0;
  if (parent == nullptr) {
    result = git_reference_create(&raw, m_git.get(), m_branch.c_str(), &oid, 0, nullptr);
  } else {
    result =
        git_reference_create_matching(&raw, m_git.get(), m_branch.c_str(), &oid, 1, git_commit_id(parent), nullptr);
  }
  const ReferencePointer reference(raw);
  if (result == GIT_EMODIFIED || result == GIT_EEXISTS || result == GIT_ELOCKED) {
    return false;
  }
  check(result, "commit the sources");
  return true;
}

void Repository::write_folder(const git_oid& oid, const fs::path& directory) {
  ::git_tree* raw = nullptr;
  check(git_tree_lookup(&raw, m_git.get(), &oid), "read the sources");
  const TreePointer tree(raw);
  fs::create_directories(directory);
  for (std::size_t i = 0; i < git_tree_entrycount(tree.get()); ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
    const std::string name = git_tree_entry_name(entry);
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
      continue;  // git makes no such name; whoever forged it wants to leave the folder
    }
    const fs::path path = directory / name;
    if (git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
      write_folder(*git_tree_entry_id(entry), path);
    } else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB) {
      write_file(*git_tree_entry_id(entry), path, git_tree_entry_filemode(entry) == GIT_FILEMODE_BLOB_EXECUTABLE);
    }
  }
}

void Repository::write_file(const git_oid& oid, const fs::path& path, bool executable) {
  ::git_blob* raw = nullptr;
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

}  // namespace vdk::control::git
