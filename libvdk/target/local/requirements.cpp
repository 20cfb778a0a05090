// SPDX-License-Identifier: Apache-2.0
#include "target/local/requirements.hpp"

#include <optional>
#include <set>

#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"

namespace vdk::target::local {

namespace {

namespace fs = std::filesystem;

/// The line without comment and surrounding space. pip, too, lets a comment start only at the begin or after a space.
std::string_view meaning(std::string_view line) {
  line = text::trim(line);
  if (line.starts_with('#')) {
    return {};
  }
  for (const std::string_view start : {" #", "\t#"}) {
    line = line.substr(0, line.find(start));
  }
  return text::trim(line);
}

/// The file named by `-r FILE`, `-c FILE` and their long forms.
std::optional<std::string> included_file(std::string_view line) {
  for (const std::string_view option : {"--requirement", "--constraint", "-r", "-c"}) {
    if (line.starts_with(option)) {
      std::string_view rest = line.substr(option.size());
      if (rest.starts_with('=')) {
        rest.remove_prefix(1);
      }
      return std::string(text::trim(rest));
    }
  }
  return std::nullopt;
}

bool points_into_the_folder(std::string_view line) {
  return line.starts_with('.') || line.starts_with("-e") || line.starts_with("--editable") ||
         line.find("./") != std::string_view::npos || line.ends_with(".whl") || line.ends_with(".tar.gz");
}

class Reader {
 public:
  explicit Reader(const fs::path& job_directory) : m_job_directory(job_directory) {}

  void read(const fs::path& file) {
    if (!m_seen.insert(file.lexically_normal()).second || !fs::is_regular_file(file)) {
      return;
    }
    for (const std::string& raw : text::lines(files::read(file))) {
      const std::string_view line = meaning(raw);
      if (line.empty() || line == "\xEF\xBB\xBF") {
        continue;
      }
      requirements.none = false;
      requirements.canonical.append(line).append("\n");
      if (const auto name = included_file(line)) {
        read(file.parent_path() / *name);
      } else if (points_into_the_folder(line)) {
        m_uses_folder = true;
      }
    }
  }

  Requirements finish() {
    if (m_uses_folder) {
      requirements.canonical += "# folder " + tree_hash(m_job_directory) + "\n";
    }
    return std::move(requirements);
  }

  Requirements requirements;

 private:
  fs::path m_job_directory;
  std::set<fs::path> m_seen;
  bool m_uses_folder = false;
};

}  // namespace

Requirements read_requirements(const std::filesystem::path& job_directory) {
  Reader reader(job_directory);
  reader.read(job_directory / "requirements.txt");
  return reader.finish();
}

}  // namespace vdk::target::local
