// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <thread>

#include "plugin/config/paths.hpp"
#include "plugin/fetch/git_tree.hpp"
#include "plugin/fetch/providers.hpp"
#include "plugin/fetch/version_pattern.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

bool is_commit_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// What git itself allows in a name, and nothing that it could take for an option or for two references.
bool is_ref(std::string_view text) {
  return !text.empty() && !text.starts_with('-') && !text.starts_with('/') && text.find("..") == text.npos &&
         text.find("@{") == text.npos && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' ||
                  std::string_view("~^:?*[\\+").find(c) != std::string_view::npos;
         });
}

/// A path is clean and has no outer slashes; none and `.` are the whole repository. PATH@REF: the reference of one
/// plugin in place of the provider's.
struct Place {
  std::string path;
  std::string ref;
};

Place parse_place(const std::string& text, const std::string& ref) {
  Place place{std::string(path_of_file(ProviderKind::git, text)), ref};
  if (place.path.size() < text.size()) {
    place.ref = text.substr(place.path.size() + 1);
  }
  std::string& path = place.path;
  path.erase(0, std::min(path.find_first_not_of('/'), path.size()));
  path.erase(path.find_last_not_of('/') + 1);
  if (path == ".") {
    path.clear();
  }
  require_clean_path(path);
  return place;
}

class GitProvider final : public Provider {
 public:
  GitProvider(ProviderConfig config, const std::filesystem::path& scratch)
      : m_config(std::move(config)), m_home(scratch, "git"), m_git(m_config, m_home.path()) {}

  Fetched fetch(const FetchRequest& wanted) override {
    const Place place = parse_place(wanted.path, m_config.ref);
    if (!wanted.pin.empty() && !is_commit_id(wanted.pin)) {
      throw provider_error(m_config, "'" + wanted.pin + "' is no commit id", "Lock the plugin anew.");
    }
    const GitCommand::Limits limits{room(wanted), wanted.cancelled};
    const std::string commit = commit_of(wanted.pin.empty() ? place.ref : wanted.pin, limits);
    const std::string& path = place.path;
    const std::string shown =
        redact_url(m_git.address()) + (path.empty() ? "" : "//" + path) + "@" + commit.substr(0, 12);
    const GitCommand::Limits quiet{0, wanted.cancelled};
    FileSink sink(wanted, shown);
    if (path.empty()) {
      write_tar(m_git, list_tree(m_git, commit, "", true, quiet), sink, quiet);
    } else {
      write_path(commit, path, shown, sink, quiet);
    }
    Fetched fetched = sink.finish();
    fetched.pin = commit;
    fetched.resolved = shown;
    return fetched;
  }

  std::vector<std::string> versions(const std::string& text) override {
    const Place place = parse_place(text, m_config.ref);
    if (place.path.find("{version}") == std::string::npos && place.ref.find("{version}") != std::string::npos) {
      return tag_versions(place.ref);
    }
    VersionPattern pattern(place.path);
    const std::string commit = commit_of(place.ref, {Limits{}.download_bytes, nullptr});
    for (const GitEntry& entry : list_tree(m_git, commit, "", true, {})) {
      // A version may be the name of a file or of a folder.
      for (std::size_t end = entry.name.find('/'); end != std::string::npos; end = entry.name.find('/', end + 1)) {
        pattern.see(std::string_view(entry.name).substr(0, end));
      }
      pattern.see(entry.name);
    }
    return pattern.versions();
  }

 private:
  static std::uint64_t room(const FetchRequest& wanted) {
    return wanted.max_bytes == 0 ? Limits{}.download_bytes : wanted.max_bytes + k_repository_bytes;
  }

  std::vector<std::string> tag_versions(const std::string& pattern) {
    VersionPattern tags(pattern);
    const std::string listed = remote({"ls-remote", "--quiet", "--tags", "--refs", "--", m_git.address()}, {});
    for (const std::string& line : text::lines(listed)) {
      constexpr std::string_view start = "refs/tags/";
      const std::size_t at = line.find(start);
      if (at != std::string::npos) {
        tags.see(std::string_view(line).substr(at + start.size()));
      }
    }
    return tags.versions();
  }

  void write_path(const std::string& commit, const std::string& path, const std::string& shown, FileSink& sink,
                  const GitCommand::Limits& limits) {
    const auto found = list_tree(m_git, commit, path, false, limits);
    if (found.size() != 1 || found[0].name != path) {
      throw Error(ErrorKind::not_found, {.what = "there is no " + shown,
                                         .why = "the commit has nothing at that path",
                                         .consequences = "Nothing was fetched.",
                                         .countermeasures = "Check the path and the ref of the plugin."});
    }
    if (found[0].mode == "040000") {
      write_tar(m_git, list_tree(m_git, found[0].id, "", true, limits), sink, limits);
    } else if (found[0].mode.starts_with("100")) {
      write_file(m_git, found[0], sink, limits);
    } else {
      throw Error(ErrorKind::platform, {.what = "cannot fetch " + shown,
                                        .why = "it is a link or a submodule",
                                        .consequences = "Nothing was fetched.",
                                        .countermeasures = "Name the file or folder itself."});
    }
  }

  /// Full id of a reference, fetched with its files. Asked once for each.
  std::string commit_of(const std::string& ref, const GitCommand::Limits& limits) {
    const std::string name = ref.empty() ? "HEAD" : ref;
    if (!is_ref(name)) {
      throw provider_error(m_config, "'" + name + "' is no name of a branch, a tag or a commit", "Correct ref.");
    }
    if (const auto known = m_commits.find(name); known != m_commits.end()) {
      return known->second;
    }
    if (m_commits.empty()) {
      (void)m_git.run({"init", "--quiet", "--bare", "--template=", "."}, limits);
    }
    try {
      (void)remote({"fetch", "--quiet", "--depth=1", "--no-tags", "--", m_git.address(), name}, limits);
    } catch (const Error& error) {
      if (!is_commit_id(name) || error.kind() == ErrorKind::login || error.kind() == ErrorKind::unreachable ||
          error.kind() == ErrorKind::interrupted || error.kind() == ErrorKind::too_large) {
        throw;
      }
      // An old server gives only what a branch or a tag names: all of these then.
      (void)remote({"fetch", "--quiet", "--no-tags", "--", m_git.address(), "+refs/heads/*:refs/all/heads/*",
                    "+refs/tags/*:refs/all/tags/*"},
                   limits);
      return m_commits[name] = resolved(name + "^{commit}");
    }
    return m_commits[name] = resolved("FETCH_HEAD^{commit}");
  }

  std::string resolved(const std::string& name) {
    std::string commit;
    try {
      commit = text::trim(m_git.run({"rev-parse", "--verify", "--quiet", "--end-of-options", name}, {}));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::platform) {
        throw;
      }
    }
    if (!is_commit_id(commit)) {
      throw Error(ErrorKind::not_found, {.what = "cannot fetch from " + redact_url(m_git.address()),
                                         .why = "it has no commit '" + name.substr(0, name.find('^')) + "'",
                                         .consequences = "Nothing was fetched from it.",
                                         .countermeasures = "Correct the ref of the plugin or of its provider."});
    }
    return commit;
  }

  /// Once more when the network was at fault.
  std::string remote(const std::vector<std::string>& arguments, const GitCommand::Limits& limits) {
    for (int attempt = 0;; ++attempt) {
      try {
        return m_git.run(arguments, limits);
      } catch (const Error& error) {
        const bool timed_out = std::chrono::steady_clock::now() - m_started >= m_config.timeout;
        if (error.kind() != ErrorKind::unreachable || attempt >= m_config.retries || timed_out) {
          throw;
        }
      }
      const auto pause = std::chrono::milliseconds(500) * (1 << std::min(attempt, 4));
      const auto end = std::chrono::steady_clock::now() + pause;
      // A cancelled wait ends in the next command, which is stopped and says so.
      while (std::chrono::steady_clock::now() < end && (limits.cancelled == nullptr || !limits.cancelled->load())) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    }
  }

  static constexpr std::uint64_t k_repository_bytes = 1U << 20U;  ///< git's own files beside the objects

  ProviderConfig m_config;
  files::TemporaryDirectory m_home;
  GitCommand m_git;
  std::map<std::string, std::string> m_commits;
  std::chrono::steady_clock::time_point m_started = std::chrono::steady_clock::now();
};

}  // namespace

std::unique_ptr<Provider> make_git_provider(const ProviderConfig& config, const std::filesystem::path& scratch) {
  return std::make_unique<GitProvider>(config, scratch);
}

}  // namespace vdk::plugin
