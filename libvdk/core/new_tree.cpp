// SPDX-License-Identifier: Apache-2.0
#include "core/new_tree.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "vdk/core/error.hpp"

namespace vdk::files {
namespace {

constexpr int k_folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string_view parent_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

std::string last_part(std::string_view name) {
  std::string part(name.substr(name.rfind('/') + 1));
  if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string::npos) {
    throw Error(ErrorKind::internal, {.what = "cannot create a file",
                                      .why = "The name '" + std::string(name) + "' is not a plain relative one.",
                                      .consequences = "Nothing was created under that name.",
                                      .countermeasures = "Please report this."});
  }
  return part;
}

/// The kernel's own promise not to leave the folder; -1 where it does not know the call.
int open_beneath(int root, const std::string& name) {
  open_how how = {};
  how.flags = k_folder_flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, root, name.c_str(), &how, sizeof(how)));
}

[[noreturn]] void fail(const std::filesystem::path& path, int number) {
  throw system_error("cannot create '" + path.string() + "'", number);
}

}  // namespace

Descriptor::~Descriptor() {
  if (m_fd >= 0) {
    close(m_fd);
  }
}

Descriptor::Descriptor(Descriptor&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(m_fd, other.m_fd);
  return *this;
}

void NewTree::File::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = ::write(m_fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      throw system_error("cannot write '" + m_path.string() + "'", errno,
                         "Check that the disk is not full and is writable.");
    }
    bytes.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
}

NewTree::NewTree(std::filesystem::path root)
    : m_root(std::move(root)), m_fd(open(m_root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (m_fd.get() < 0) {
    throw system_error("cannot open the folder '" + m_root.string() + "'", errno);
  }
}

Descriptor NewTree::make_path(std::string_view name) const {
  Descriptor at(fcntl(m_fd.get(), F_DUPFD_CLOEXEC, 0));
  while (!name.empty()) {
    const std::size_t slash = name.find('/');
    const std::string part = last_part(name.substr(0, slash));
    const bool made = mkdirat(at.get(), part.c_str(), 0755) == 0;
    if (!made && errno != EEXIST) {
      fail(m_root / part, errno);
    }
    Descriptor next(openat(at.get(), part.c_str(), k_folder_flags));
    if (next.get() < 0 || (made && fchmod(next.get(), 0755) != 0)) {
      fail(m_root / part, errno);
    }
    at = std::move(next);
    name = slash == std::string_view::npos ? std::string_view() : name.substr(slash + 1);
  }
  return at;
}

int NewTree::open_parent(std::string_view name) {
  const std::string parent(parent_of(name));
  if (parent.empty()) {
    return m_fd.get();
  }
  if (m_last.get() < 0 || parent != m_last_name) {
    Descriptor found(open_beneath(m_fd.get(), parent));
    m_last = found.get() >= 0 ? std::move(found) : make_path(parent);
    m_last_name = parent;
  }
  return m_last.get();
}

void NewTree::folder(std::string_view name) { (void)make_path(name); }

NewTree::File NewTree::file(std::string_view name, bool executable) {
  const std::string part = last_part(name);
  const int parent = open_parent(name);
  Descriptor fd(openat(parent, part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fd.get() < 0 || fchmod(fd.get(), executable ? 0755 : 0644) != 0) {
    fail(shown(name), errno);
  }
  return {std::move(fd), shown(name)};
}

void NewTree::link(std::string_view name, const std::string& target) {
  const std::string part = last_part(name);
  if (symlinkat(target.c_str(), open_parent(name), part.c_str()) != 0) {
    fail(shown(name), errno);
  }
}

}  // namespace vdk::files
