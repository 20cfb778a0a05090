// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <fstream>

#include "vdk/core/files.hpp"
#include "vdk/job/job.hpp"

namespace vdk::job {
namespace {

class Folder {
 public:
  std::filesystem::path add(const std::string& name, const std::string& content) const {
    std::ofstream(m_directory.path() / name, std::ios::binary) << content;
    return m_directory.path() / name;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return m_directory.path(); }

 private:
  files::TemporaryDirectory m_directory;
};

std::string notebook(const std::string& cells, const std::string& metadata = "{}") {
  return R"({"cells": [)" + cells + R"(], "metadata": )" + metadata + R"(, "nbformat": 4, "nbformat_minor": 5})";
}

std::string code(const std::string& source, const std::string& more = R"("metadata": {"tags": ["vdk"]})") {
  return R"({"cell_type": "code", "outputs": [{"text": "x"}], "source": )" + source + ", " + more + "}";
}

std::string failure(const std::filesystem::path& file) {
  try {
    (void)read_notebook(file);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::user_code);
    return format_error(error);
  }
  return "";
}

}  // namespace

TEST_CASE("cells tagged vdk are steps in cell order, named after the notebook") {
  const Folder folder;
  std::string cells = R"({"cell_type": "markdown", "source": ["# vdk: step"], "metadata": {"tags": ["vdk"]}})";
  for (int i = 1; i <= 12; ++i) {
    cells += "," + code("\"x = " + std::to_string(i) + "\"");
  }
  const Notebook read = read_notebook(folder.add("20_n.ipynb", notebook(cells)));
  REQUIRE(read.steps.size() == 12);
  CHECK(read.steps[1].name == "20_n_2");
  CHECK(read.steps[11].name == "20_n_12");
  CHECK(read.steps[11].cell->number == 13);
  CHECK(read.steps[11].cell->source == "x = 12");
  CHECK(place_of(read.steps[11]) == "20_n.ipynb, cell 13");
}

TEST_CASE("a cell can be marked in its text, in every kind of cell, and untagged ones are no steps") {
  const Folder folder;
  const std::string none = R"("metadata": {}, "id": "a-1")";
  const Notebook read = read_notebook(folder.add(
      "n.ipynb",
      notebook(code(R"(["\n", "#vdk: step\n", "x = 1"])", none) + "," + code(R"("# vdk: stepping\nx")", none) + "," +
               code(R"("%%vdksql\n-- vdk: step\nselect 1")", none) + "," +
               code(R"("# vdk: step\n%%vdkingest\n[a]")", none) + "," + code(R"("x = 2\n# vdk: step")", none))));
  REQUIRE(read.steps.size() == 3);
  CHECK(read.steps[0].cell->source == "\n#vdk: step\nx = 1");
  CHECK(read.steps[1].kind == StepKind::sql);
  CHECK(read.steps[1].cell->source == "\n\nselect 1");
  CHECK(read.steps[2].kind == StepKind::ingest);
  CHECK(read.steps[2].cell->source == "# vdk: step\n\n[a]");
  CHECK(place_of(read.steps[2]) == "n.ipynb, cell 4 (cell_id:a-1)");
}

TEST_CASE("a source may be one string, a byte order mark and foreign members do not matter") {
  const Folder folder;
  const Notebook read = read_notebook(
      folder.add("n.ipynb", "\xEF\xBB\xBF" + notebook(code(R"("%%vdksql \r\nselect 1\r\n")") + ", 7, " +
                                                          R"({"cell_type": "code", "metadata": {"tags": ["vdk"]}})",
                                                      R"({"kernelspec": {"name": "python3", "language": "python"},
                                                          "language_info": {"name": "python", "version": "3.11.2"}})")));
  REQUIRE(read.steps.size() == 2);
  CHECK(read.steps[0].cell->source == "\nselect 1\n");
  CHECK(read.steps[1].cell->source.empty());
  CHECK(read.python_version == "3.11.2");
  CHECK(read.kernel == "python3");
}

TEST_CASE("what is no notebook is refused with its place") {
  const Folder folder;
  CHECK(failure(folder.add("a.ipynb", "{\n  \"cells\": [,]\n}")).find("a.ipynb:2:13") != std::string::npos);
  CHECK(failure(folder.add("b.ipynb", "")).find("empty") != std::string::npos);
  CHECK(failure(folder.add("c.ipynb", "[1]")).find("no list of cells") != std::string::npos);
  CHECK(failure(folder.add("d.ipynb", R"({"worksheets": [], "nbformat": 3})")).find("nbconvert") != std::string::npos);
  CHECK(failure(folder.add("e.ipynb", notebook(code("[1]")))).find("cell 1") != std::string::npos);
  CHECK(failure(folder.add("f.ipynb", notebook(code("\"x\""), R"({"kernelspec": {"language": "R"}})")))
            .find("speaks r") != std::string::npos);
  CHECK(failure(folder.add("g.ipynb", notebook("", R"({"kernelspec": {"language": "R"}})"))).empty());
}

TEST_CASE("cells stand between the files by the file's name") {
  const Folder folder;
  folder.add("10_a.sql", "select 1");
  folder.add("20_b.ipynb", notebook(code("\"x = 1\"") + "," + code("\"y = 1\"")));
  folder.add("30_c.py", "");
  std::string names;
  for (const Step& step : find_steps(folder.path())) {
    names += step.name + " ";
  }
  CHECK(names == "10_a.sql 20_b_1 20_b_2 30_c.py ");
}

}  // namespace vdk::job
