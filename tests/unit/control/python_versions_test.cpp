// SPDX-License-Identifier: Apache-2.0
#include "control/fixture.hpp"

namespace {

using namespace vdk::control;
using vdk::control::testing::error_of;

std::vector<PythonVersion> found() {
  return {{"3.12", "/usr/bin/python3.12", "", ""}, {"3.11", "/usr/bin/python3.11", "", ""}};
}

TEST_CASE("without a setting the discovered interpreters count, the first one is the default") {
  const PythonVersions versions = load_python_versions("", "", found);
  REQUIRE(versions.versions.size() == 2);
  CHECK(versions.default_version == "3.12");
  CHECK(load_python_versions("", "3.11", found).default_version == "3.11");
}

TEST_CASE("inline JSON keeps order and 3.10, and takes missing interpreters from what is there") {
  const auto versions = load_python_versions(
      R"({"3.10": {"interpreter": "/opt/py310", "baseImage": "b:1", "vdkImage": "v:2"}, "3.11": {}})", "", found);
  REQUIRE(versions.versions.size() == 2);
  CHECK(versions.versions[0].version == "3.10");
  CHECK(versions.versions[0].interpreter == "/opt/py310");
  CHECK(versions.versions[0].base_image == "b:1");
  CHECK(versions.versions[0].vdk_image == "v:2");
  CHECK(versions.versions[1].interpreter == "/usr/bin/python3.11");
}

TEST_CASE("a YAML file may leave the version unquoted") {
  const vdk::files::TemporaryDirectory folder;
  const auto file = folder.path() / "versions.yaml";
  std::ofstream(file) << "supportedPythonVersions:\n  3.10:\n    interpreter: /opt/py310\n";
  CHECK(load_python_versions(file.string(), "3.10", found).versions.at(0).version == "3.10");
}

TEST_CASE("a default that is not supported and unreadable settings are refused") {
  const auto refused = [](const char* setting, const char* preferred) {
    return error_of([&] { (void)load_python_versions(setting, preferred, found); });
  };
  CHECK(refused("", "2.7").kind() == vdk::ErrorKind::configuration);
  CHECK(refused("", "2.7").text().countermeasures.find("'3.12' and '3.11'") != std::string::npos);
  CHECK(refused("{", "").kind() == vdk::ErrorKind::configuration);
  CHECK(refused("{}", "").kind() == vdk::ErrorKind::configuration);
  CHECK(refused("/nowhere/versions.json", "").text().why.find("/nowhere/versions.json") != std::string::npos);
}

}  // namespace
