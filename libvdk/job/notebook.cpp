// SPDX-License-Identifier: Apache-2.0
// Notebooks of Jupyter, nbformat 4: the cells that are steps. Outputs, which may be huge, are skipped while reading.
#include <nlohmann/json.hpp>

#include <algorithm>

#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/job.hpp"

namespace vdk::job {
namespace {

using Json = nlohmann::json;

Error unreadable(const std::filesystem::path& file, std::string why, std::string way_out,
                 std::optional<SourceLocation> place = std::nullopt) {
  return Error(ErrorKind::user_code,
               {"cannot read the notebook '" + file.filename().string() + "'", std::move(why),
                "its cells cannot be run, so no step of the job is", std::move(way_out)},
               std::move(place));
}

SourceLocation place_of_byte(const std::filesystem::path& file, std::string_view content, std::size_t byte) {
  const std::size_t offset = std::min(byte == 0 ? 0 : byte - 1, content.size());
  const std::size_t before = offset == 0 ? std::string_view::npos : content.rfind('\n', offset - 1);
  const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
  SourceLocation place;
  place.file = file.string();
  place.line = 1 + static_cast<std::size_t>(
                       std::count(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
  place.column = offset - start + 1;
  constexpr std::size_t longest = 200;  // a notebook on one line has no line that anybody wants to see whole
  const std::size_t end = std::min(content.find('\n', start), content.size());
  if (end - start <= longest) {
    place.text = std::string(content.substr(start, end - start));
  }
  return place;
}

Json parse(const std::filesystem::path& file, const std::string& content) {
  const auto keep = [](int /*depth*/, Json::parse_event_t event, const Json& parsed) {
    return event != Json::parse_event_t::key || (parsed != "outputs" && parsed != "attachments");
  };
  try {
    return Json::parse(content, keep);
  } catch (const Json::parse_error& error) {
    const bool empty = text::trim(content).empty();
    throw unreadable(file, empty ? "the file is empty" : "it is not valid JSON",
                     "Open it with Jupyter and save it again, or take it out of the job folder",
                     empty ? std::nullopt : std::optional(place_of_byte(file, content, error.byte)));
  }
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json object_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : Json::object();
}

/// A string, or a list of lines that carry their own line ends.
std::string source_of(const Json& cell, const std::filesystem::path& file, std::size_t number) {
  const auto source = cell.find("source");
  if (source == cell.end()) {
    return {};
  }
  if (source->is_string()) {
    return text::replace_all(source->get<std::string>(), "\r\n", "\n");
  }
  std::string joined;
  bool good = source->is_array();
  for (std::size_t i = 0; good && i < source->size(); ++i) {
    good = (*source)[i].is_string();
    joined += good ? (*source)[i].get<std::string>() : std::string();
  }
  if (!good) {
    throw unreadable(file, "the source of cell " + std::to_string(number) + " is neither text nor a list of lines",
                     "Open it with Jupyter and save it again, or take it out of the job folder");
  }
  return text::replace_all(joined, "\r\n", "\n");
}

bool has_tag(const Json& cell) {
  const auto tags = object_at(cell, "metadata").value("tags", Json::array());
  return tags == "vdk" || (tags.is_array() && std::find(tags.begin(), tags.end(), "vdk") != tags.end());
}

/// `# vdk: step`, or `-- vdk: step` in SQL: marks a step where the editor knows no tags.
bool is_marker(std::string_view line) {
  line = text::trim(line);
  if (!line.starts_with('#') && !line.starts_with("--")) {
    return false;
  }
  line = text::trim(line.substr(line.starts_with('#') ? 1 : 2));
  return line.starts_with("vdk:") && text::trim(line.substr(4)) == "step";
}

struct Reading {
  StepKind kind = StepKind::python;
  bool marked = false;
  std::string source;  ///< without the magic
};

bool is_magic(std::string_view line, std::string_view name) {
  return line.starts_with(name) &&
         (line.size() == name.size() || line[name.size()] == ' ' || line[name.size()] == '\t');
}

/// The marker may stand before or right behind the magic.
Reading read_cell(const std::string& source) {
  Reading reading;
  std::vector<std::string> lines = text::split(source, '\n');
  bool has_magic = false;
  for (std::string& line : lines) {
    const std::string_view trimmed = text::trim(line);
    if (trimmed.empty()) {
      continue;
    }
    if (!reading.marked && is_marker(trimmed)) {
      reading.marked = true;
      continue;
    }
    const bool sql = is_magic(trimmed, "%%vdksql");
    if (has_magic || (!sql && !is_magic(trimmed, "%%vdkingest"))) {
      break;
    }
    has_magic = true;
    reading.kind = sql ? StepKind::sql : StepKind::ingest;
    line.clear();
  }
  if (reading.kind == StepKind::sql && reading.marked) {
    const auto marker =
        std::find_if(lines.begin(), lines.end(), [](const std::string& line) { return is_marker(line); });
    marker->clear();  // `#` is no comment in SQL
  }
  reading.source = text::join(lines, "\n");
  return reading;
}

void refuse_other_languages(const Notebook& notebook) {
  if (!notebook.steps.empty() && !notebook.language.empty() && notebook.language != "python") {
    throw unreadable(notebook.file, "its kernel speaks " + notebook.language + ", and only Python cells can be steps",
                     "Take the tag `vdk` off its cells, or change its kernel to Python");
  }
}

}  // namespace

Notebook read_notebook(const std::filesystem::path& file) {
  const std::string content = files::read(file);
  const Json whole = parse(file, content);
  Notebook notebook;
  notebook.file = file;
  const Json cells = whole.is_object() ? whole.value("cells", Json()) : Json();
  if (!cells.is_array()) {
    const bool old = whole.is_object() && whole.contains("worksheets");
    throw unreadable(file,
                     old ? "it is in the old format nbformat 3" : "it has no list of cells, so it is not a notebook",
                     old ? "Convert it: jupyter nbconvert --to notebook --nbformat 4 " + file.filename().string()
                         : "Open it with Jupyter and save it again, or take it out of the job folder");
  }
  const Json metadata = object_at(whole, "metadata");
  const Json language = object_at(metadata, "language_info");
  const Json kernel = object_at(metadata, "kernelspec");
  notebook.kernel = text_at(kernel, "name");
  notebook.language = text::lower(text_at(kernel, "language"));
  notebook.language = notebook.language.empty() ? text::lower(text_at(language, "name")) : notebook.language;
  notebook.language = notebook.language == "ipython" ? "python" : notebook.language;
  notebook.python_version = text_at(language, "version");
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i].is_object() || text_at(cells[i], "cell_type") != "code") {
      continue;
    }
    Reading reading = read_cell(source_of(cells[i], file, i + 1));
    if (has_tag(cells[i]) || reading.marked) {
      notebook.steps.push_back({file.stem().string() + "_" + std::to_string(notebook.steps.size() + 1), reading.kind,
                                file, Cell{text_at(cells[i], "id"), i + 1, std::move(reading.source)}});
    }
  }
  refuse_other_languages(notebook);
  return notebook;
}

}  // namespace vdk::job
