// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace vdk::files {

/// A descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : m_fd(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  [[nodiscard]] int get() const noexcept { return m_fd; }

 private:
  int m_fd;
};

/// Makes folders and files below one folder and never anywhere else: every step starts at a descriptor, no link is
/// followed, nothing that exists is opened for writing. Names are relative, with `/` between their parts.
class NewTree {
 public:
  /// A file that was not there before. Modes are 0644 or 0755, whatever the umask says.
  class File {
   public:
    void write(std::string_view bytes) const;

   private:
    friend class NewTree;
    File(Descriptor fd, std::filesystem::path path) : m_fd(std::move(fd)), m_path(std::move(path)) {}
    Descriptor m_fd;
    std::filesystem::path m_path;
  };

  explicit NewTree(std::filesystem::path root);
  /// With its parents; one that exists is fine.
  void folder(std::string_view name);
  [[nodiscard]] File file(std::string_view name, bool executable);
  void link(std::string_view name, const std::string& target);

 private:
  [[nodiscard]] int open_parent(std::string_view name);
  [[nodiscard]] Descriptor make_path(std::string_view name) const;
  [[nodiscard]] std::filesystem::path shown(std::string_view name) const { return m_root / name; }

  std::filesystem::path m_root;
  Descriptor m_fd;
  std::string m_last_name;  ///< folder that was used last: archives keep their files together
  Descriptor m_last;
};

}  // namespace vdk::files
