// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/provider.hpp"

using namespace vdk;

namespace {

// Made by minisign 0.11 for a file with the text "hello\n".
const std::string k_key = "RWRJFVts6FeYwfaoL2GDJL05lhXWBeW7C7qy5ACO+6LLLB8GzmEujHKE";
const std::string k_prehashed =
    "untrusted comment: signature from minisign secret key\n"
    "RURJFVts6FeYwRP0oFjATQ9v/PvpXccFnX2VX3Y7H8WHdgXUahF7uMIkweNGbhPrNiqYMapR9O7U7ftIPPFqA8dRrTbTb4VtOQ0=\n"
    "trusted comment: trusted words\n"
    "gEJ4YPRQnlALkEBNgr7dF1fsq6T/0YAjhf3JGcjS6hGzAgqYOuMw8pYGTyHhZ2FPbqz30MCwPBJdgh43pQuWDA==\n";
const std::string k_legacy =
    "untrusted comment: signature from minisign secret key\n"
    "RWRJFVts6FeYwZwTtUocxbVO1V7tguiH9yn4gzUPDJ3E5shZ5aYY2XvGkWK3LWrr+pRmrYK2NV4V3OpByP3fnSGIJx6ofGgufQ0=\n"
    "trusted comment: timestamp:1795292190\tfile:f\n"
    "1FhLvvX4FyK8WZ6yQrXGCzOkM5ckkmj7EKoyjSL51FfuK11Xfg0p4HUXEpsS6cocpR9CR8//c5SR75807O7mCg==\n";

struct Signed {
  files::TemporaryDirectory folder;
  std::filesystem::path file = folder.path() / "plugin.zip";

  explicit Signed(const std::string& content = "hello\n") { files::write_atomic(file, content); }
  std::string verify(const std::string& signature, const std::vector<std::string>& keys = {k_key}) const {
    return plugin::verify_minisign(file, signature, keys);
  }
  /// Why it is refused; empty when it is not.
  std::string refusal(const std::string& signature, const std::vector<std::string>& keys = {k_key}) const {
    try {
      (void)verify(signature, keys);
    } catch (const Error& error) {
      return std::string(to_string(error.kind())) + ": " + error.text().why;
    }
    return {};
  }
};

}  // namespace

TEST_CASE("minisign: both kinds of signatures are good and tell the key that signed") {
  const Signed good;
  CHECK(good.verify(k_prehashed) == "C19857E86C5B1549");
  CHECK(good.verify(k_legacy) == "C19857E86C5B1549");
  CHECK(good.verify(text::replace_all(k_legacy, "\n", "\r\n")) == "C19857E86C5B1549");
}

TEST_CASE("minisign: other bytes, another comment, another key and no signature at all are refused") {
  const Signed good;
  const Signed changed("Hello\n");
  const Signed empty("");
  for (const std::string& signature : {k_prehashed, k_legacy}) {
    CHECK(changed.refusal(signature).find("is not the one that the key") != std::string::npos);
    CHECK(empty.refusal(signature).find("is not the one that the key") != std::string::npos);
  }
  CHECK(good.refusal(text::replace_all(k_prehashed, "trusted words", "trusted Words")).find("trusted comment was") !=
        std::string::npos);
  CHECK(good.refusal(k_prehashed, {}).starts_with("platform: the key C19857E86C5B1549"));
  // The same key id with the bytes of another key.
  std::string forged = k_key;
  forged[20] = forged[20] == 'A' ? 'B' : 'A';
  CHECK(good.refusal(k_prehashed, {forged}).find("is not the one that the key") != std::string::npos);
  CHECK(good.refusal(k_prehashed, {"RWnonsense"}).starts_with("configuration: "));
  for (const std::string& text : {std::string(), std::string("<html>"), k_prehashed.substr(0, 120),
                                  text::replace_all(k_prehashed, "RUR", "RXR"), std::string(500, '\n')}) {
    CHECK(good.refusal(text).find("no minisign signature") != std::string::npos);
  }
}

TEST_CASE("minisign: what the tool signs is good") {
  if (!process::find_program("minisign")) {
    MESSAGE("skipped: minisign is not installed");
    return;
  }
  const Signed file(std::string(3'000'000, 'x'));
  const auto at = [&](const char* name) { return (file.folder.path() / name).string(); };
  const auto run = [](std::vector<std::string> words) { return process::run({.argv = std::move(words)}).exit_code; };
  REQUIRE(run({"minisign", "-G", "-W", "-p", at("pub"), "-s", at("sec")}) == 0);
  const auto lines = text::lines(files::read(at("pub")));
  // The tool drops leading zeros of the key id in its comment.
  const std::string id = std::string(lines[0].substr(lines[0].rfind(' ') + 1));
  REQUIRE(run({"minisign", "-S", "-s", at("sec"), "-m", file.file.string(), "-x", at("new")}) == 0);
  CHECK(file.verify(files::read(at("new")), {k_key, lines[1]}).ends_with(id));
  CHECK(file.refusal(files::read(at("new"))).find("none of the trusted keys") != std::string::npos);
  REQUIRE(run({"minisign", "-S", "-l", "-s", at("sec"), "-m", file.file.string(), "-x", at("old")}) == 0);
  CHECK(file.verify(files::read(at("old")), {lines[1]}).ends_with(id));
  CHECK(id.size() > 8);
}
