// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <git2.h>

/// The functions of libgit2 that vdk uses. The library and what it needs cost several milliseconds at every start of
/// every command, so it is loaded when the first repository is opened. In this namespace its names mean pointers to the
/// loaded functions; code in vdk::control::git calls them as if they were linked.
// clang-format off
#define VDK_GIT_FUNCTIONS(X) \
  X(git_libgit2_init) X(git_libgit2_opts) X(git_error_last) X(git_error_set_str) X(git_oid_fmt) X(git_oid_fromstr) \
  X(git_oid_equal) X(git_graph_descendant_of) X(git_repository_open_bare) X(git_repository_init_ext) \
  X(git_repository_free) X(git_reference_name_to_id) X(git_reference_create) X(git_reference_create_matching) \
  X(git_reference_free) X(git_commit_lookup) X(git_commit_parentcount) X(git_commit_parent) X(git_commit_tree) \
  X(git_commit_id) X(git_commit_create) X(git_commit_free) X(git_tree_lookup) X(git_tree_free) \
  X(git_tree_entry_byname) X(git_tree_entry_byindex) X(git_tree_entrycount) X(git_tree_entry_id) \
  X(git_tree_entry_name) X(git_tree_entry_type) X(git_tree_entry_filemode) X(git_treebuilder_new) \
  X(git_treebuilder_insert) X(git_treebuilder_remove) X(git_treebuilder_write) X(git_treebuilder_free) \
  X(git_blob_create_from_buffer) X(git_blob_lookup) X(git_blob_rawcontent) X(git_blob_rawsize) X(git_blob_free) \
  X(git_signature_new) X(git_signature_free) X(git_remote_create_anonymous) X(git_remote_connect) \
  X(git_remote_disconnect) X(git_remote_ls) X(git_remote_fetch) X(git_remote_push) X(git_remote_free) \
  X(git_remote_init_callbacks) X(git_fetch_options_init) X(git_push_options_init) \
  X(git_credential_userpass_plaintext_new) X(git_credential_username_new) X(git_credential_ssh_key_from_agent) \
  X(git_credential_ssh_key_new)
// clang-format on

namespace vdk::control::git {

#define VDK_DECLARE(name) extern decltype(&::name) name;
VDK_GIT_FUNCTIONS(VDK_DECLARE)
#undef VDK_DECLARE

/// Loads and prepares the library at the first call. Error(platform) when it is not installed.
void load_library();

}  // namespace vdk::control::git
