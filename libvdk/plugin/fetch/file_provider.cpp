// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "plugin/fetch/address.hpp"
#include "plugin/fetch/file_sink.hpp"
#include "plugin/fetch/providers.hpp"
#include "plugin/fetch/version_pattern.hpp"

namespace vdk::plugin {

namespace fs = std::filesystem;

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : m_fd(fd) {}
  ~Descriptor() {
    if (m_fd >= 0) {
      ::close(m_fd);
    }
  }
  Descriptor(Descriptor&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(m_fd, other.m_fd);
    return *this;
  }
  [[nodiscard]] int get() const noexcept { return m_fd; }

 private:
  int m_fd;
};

/// Old kernels have no openat2: one part after the other, without following any link.
Descriptor open_by_parts(int root, const fs::path& path) {
  Descriptor at(::dup(root));
  for (auto part = path.begin(); part != path.end(); ++part) {
    const bool last = std::next(part) == path.end();
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (last ? 0 : O_DIRECTORY);
    at = Descriptor(::openat(at.get(), part->c_str(), flags));
    if (at.get() < 0) {
      break;
    }
  }
  return at;
}

Descriptor open_beneath(int root, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const auto fd = static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
  return fd < 0 && (errno == ENOSYS || errno == EPERM) ? open_by_parts(root, path) : Descriptor(fd);
}

class FileProvider final : public Provider {
 public:
  explicit FileProvider(ProviderConfig config) : m_config(std::move(config)) {
    m_root = m_config.path;
    if (m_root.is_relative() && !m_config.where.file.empty()) {
      m_root = fs::path(m_config.where.file).parent_path() / m_root;
    }
  }

  Fetched fetch(const FetchRequest& wanted) override {
    require_clean_path(wanted.path);
    const Descriptor root = open_root();
    const std::string relative = wanted.path.substr(std::min(wanted.path.find_first_not_of('/'), wanted.path.size()));
    const std::string shown = (m_root / relative).string();
    const Descriptor file = open_beneath(root.get(), relative);
    require_file(file, shown, errno);
    FileSink sink(wanted, shown);
    std::array<char, 1U << 16U> buffer{};
    while (true) {
      if (wanted.cancelled != nullptr && wanted.cancelled->load()) {
        throw Error(ErrorKind::interrupted, {.what = "reading '" + shown + "' was given up",
                                             .why = "it was interrupted",
                                             .consequences = "Nothing of it is used.",
                                             .countermeasures = ""});
      }
      const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
      if (got == 0) {
        break;
      }
      if (got < 0 && errno != EINTR) {
        throw system_error("cannot read '" + shown + "'", errno, "Check the disk.");
      }
      sink.write({buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))});
    }
    Fetched fetched = sink.finish();
    fetched.pin = fetched.sha256;
    fetched.resolved = shown;
    return fetched;
  }

  std::vector<std::string> versions(const std::string& path) override {
    require_clean_path(path);
    VersionPattern pattern(path.substr(std::min(path.find_first_not_of('/'), path.size())));
    (void)open_root();
    walk(pattern.folder(), pattern, pattern.depth());
    return pattern.versions();
  }

 private:
  [[nodiscard]] Descriptor open_root() const {
    Descriptor root(::open(m_root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (root.get() < 0) {
      throw Error(ErrorKind::not_found,
                  {.what = "the folder '" + m_root.string() + "' of the plugin provider '" + m_config.name +
                           "' cannot be opened",
                   .why = std::strerror(errno),
                   .consequences = "Nothing was fetched from it.",
                   .countermeasures = "Correct its path; a relative one counts from the configuration's folder."});
    }
    return root;
  }

  void require_file(const Descriptor& file, const std::string& shown, int number) const {
    struct stat info {};
    if (file.get() >= 0 && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode)) {
      return;
    }
    const std::string what = "cannot fetch '" + shown + "'";
    const std::string nothing = "Nothing was fetched.";
    if (file.get() >= 0) {
      throw Error(ErrorKind::platform, {what, S_ISDIR(info.st_mode) ? "it is a folder" : "it is no regular file",
                                        nothing, "Pack the folder as zip or tar.gz and name that file."});
    }
    if (number == EXDEV || number == ELOOP) {
      throw Error(ErrorKind::platform, {what, "a link in it leads out of the provider's folder", nothing,
                                        "Put the file itself below '" + m_root.string() + "'."});
    }
    if (number == ENOENT || number == ENOTDIR) {
      throw Error(ErrorKind::not_found,
                  {what, "there is no such file", nothing, "Check the path and the version of the plugin."});
    }
    throw system_error(what, number, "Check its permissions.");
  }

  void walk(const std::string& folder, VersionPattern& pattern, std::size_t depth) {
    constexpr std::size_t most = 100'000;
    std::error_code error;
    const fs::path start = m_root / folder;
    for (auto it = fs::recursive_directory_iterator(start, fs::directory_options::skip_permission_denied, error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      const std::string name = it->path().lexically_relative(m_root).generic_string();
      if (static_cast<std::size_t>(std::count(name.begin(), name.end(), '/')) >= depth || it->is_symlink()) {
        it.disable_recursion_pending();
      }
      if (it->is_regular_file()) {
        pattern.see(name);
      }
      if (++m_seen > most) {
        throw Error(ErrorKind::too_large, {.what = "cannot look for versions in '" + start.string() + "'",
                                           .why = "it has more than " + std::to_string(most) + " files",
                                           .consequences = "It is not known which versions exist.",
                                           .countermeasures = "Write an exact version into the configuration."});
      }
    }
  }

  ProviderConfig m_config;
  fs::path m_root;
  std::size_t m_seen = 0;
};

}  // namespace

std::unique_ptr<Provider> make_file_provider(const ProviderConfig& config) {
  return std::make_unique<FileProvider>(config);
}

}  // namespace vdk::plugin
