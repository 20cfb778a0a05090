// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/archive.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "job/zip_writer.hpp"
#include "plugin/tar_writer.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"

namespace files = vdk::files;
namespace fs = std::filesystem;
using vdk::plugin::PluginEntry;
using vdk::plugin::Unpacked;
using vdk::plugin::UnpackOptions;
using vdk::test::compressed;
using vdk::test::TarItem;
using vdk::test::TarWriter;
using vdk::test::ZipItem;
using vdk::test::ZipWriter;
using namespace std::string_literals;

namespace {

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

UnpackOptions named(const std::string& name) {
  UnpackOptions options;
  options.file_name = name;
  return options;
}

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

/// A place to unpack to with neighbours that must stay as they are.
class Place {
 public:
  Place() {
    fs::create_directories(into());
    fs::create_directories(m_folder.path() / "a" / "b-evil");
    write(m_folder.path() / "victim", "untouched");
    m_before = outside();
  }
  [[nodiscard]] fs::path into() const { return m_folder.path() / "a" / "b"; }
  [[nodiscard]] fs::path root() const { return m_folder.path(); }

  Unpacked unpack(const std::string& bytes, const UnpackOptions& options) {
    write(m_folder.path() / "archive", bytes);
    return vdk::plugin::unpack(m_folder.path() / "archive", into(), options);
  }
  /// The reason of a refusal, after a look at everything around.
  std::string refusal(const std::string& bytes, const UnpackOptions& options) {
    try {
      (void)unpack(bytes, options);
    } catch (const vdk::Error& error) {
      CHECK(error.kind() == vdk::ErrorKind::platform);
      CHECK(fs::is_empty(into()));
      CHECK(outside() == m_before);
      return error.text().why;
    }
    FAIL_CHECK("the archive was accepted");
    return "";
  }
  [[nodiscard]] bool is_intact() const { return outside() == m_before; }

 private:
  [[nodiscard]] std::vector<std::string> outside() const {
    std::vector<std::string> lines;
    for (const auto& entry : fs::recursive_directory_iterator(m_folder.path())) {
      const std::string path = entry.path().string();
      if (path.starts_with(into().string() + "/") || entry.path().filename() == "archive") {
        continue;
      }
      struct stat info {};
      REQUIRE(lstat(path.c_str(), &info) == 0);
      lines.push_back(path + " " + std::to_string(info.st_mode) + " " +
                      (entry.is_regular_file() ? files::read(path) : ""));
    }
    std::ranges::sort(lines);
    return lines;
  }
  files::TemporaryDirectory m_folder;
  std::vector<std::string> m_before;
};

std::string zip_of(const std::vector<ZipItem>& items) {
  ZipWriter writer;
  for (const ZipItem& item : items) {
    writer.add(item);
  }
  return writer.finish();
}

std::string tar_of(const std::vector<TarItem>& items) {
  TarWriter writer;
  for (const TarItem& item : items) {
    writer.add(item);
  }
  return writer.finish();
}

std::string refused_zip(const std::vector<ZipItem>& items, UnpackOptions options = named("x.zip")) {
  return Place().refusal(zip_of(items), options);
}
std::string refused_tar(const std::vector<TarItem>& items, UnpackOptions options = named("x.tar")) {
  return Place().refusal(tar_of(items), options);
}

unsigned mode_of(const fs::path& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
}

}  // namespace

TEST_CASE("every kind of archive gives the same tree, whatever its name says about it") {
  const std::string tar = tar_of({{"p/", "", '5'}, {"p/a.yaml", "name: a\n"}, {"p/tool", "#!", '0', "", 0755}});
  const std::string zip = zip_of({{"p/", "", 040755}, {"p/a.yaml", "name: a\n"}, {"p/tool", "#!", 0100755}});
  std::vector<std::string> hashes;
  for (const auto& [bytes, name] :
       std::vector<std::pair<std::string, std::string>>{{tar, "x.tar"},
                                                        {compressed(tar, "gzip"), "x.tar.gz"},
                                                        {compressed(tar, "gzip"), "x.tgz"},
                                                        {compressed(tar, "bzip2"), "x.tar.bz2"},
                                                        {compressed(tar, "xz"), "x.tar.xz"},
                                                        {compressed(tar, "zstd"), "x.tzst"},
                                                        {zip, "x.zip"}}) {
    CAPTURE(name);
    Place place;
    const Unpacked result = place.unpack(bytes, named(name));
    CHECK(result.files == 2);
    CHECK(result.bytes == 10);
    CHECK(result.warnings.empty());
    CHECK(files::read(place.into() / "p" / "a.yaml") == "name: a\n");
    CHECK(mode_of(place.into() / "p" / "a.yaml") == 0644);
    CHECK(mode_of(place.into() / "p" / "tool") == 0755);
    CHECK(place.is_intact());
    hashes.push_back(vdk::plugin::tree_sha256(place.into()));
  }
  CHECK(std::ranges::count(hashes, hashes.front()) == 7);
}

TEST_CASE("a plain file is stored under its name, a compressed one without the suffix of its compression") {
  Place plain;
  CHECK(plain.unpack("name: a\n", named("a.yaml")).files == 1);
  CHECK(files::read(plain.into() / "a.yaml") == "name: a\n");
  for (const auto& [filter, suffix] : std::vector<std::pair<std::string, std::string>>{
           {"gzip", ".gz"}, {"bzip2", ".bz2"}, {"xz", ".xz"}, {"zstd", ".zst"}}) {
    Place place;
    CHECK(place.unpack(compressed("name: a\n", filter), named("a.yaml" + suffix)).warnings.empty());
    CHECK(files::read(place.into() / "a.yaml") == "name: a\n");
  }
  Place kept;
  UnpackOptions none = named("x.zip");
  none.archive = PluginEntry::Archive::none;
  (void)kept.unpack(zip_of({{"a", "1"}}), none);
  CHECK(files::read(kept.into() / "x.zip").starts_with("PK"));
  for (const std::string& name : {"../a.yaml"s, "/a"s, ""s, "a/b"s, ".."s, "a\\b"s}) {
    CAPTURE(name);
    (void)Place().refusal("name: a\n", named(name));
  }
}

TEST_CASE("first bytes and name are compared: another archive is a warning, something else is refused") {
  Place place;
  const Unpacked result = place.unpack(tar_of({{"a", "1"}}), named("x.zip"));
  REQUIRE(result.warnings.size() == 1);
  CHECK(mentions(result.warnings.front(), "is a tar and not a zip"));
  CHECK(mentions(Place().refusal("<html>not found</html>", named("x.tar.gz")), "by its first bytes no archive"));
  CHECK(mentions(Place().refusal(compressed("no tar", "gzip"), named("x.tar.gz")), "a compressed file"));
  CHECK(mentions(Place().refusal("", named("x.zip")), "empty"));
  UnpackOptions zip = named("x");
  zip.archive = PluginEntry::Archive::zip;
  CHECK(mentions(Place().refusal(tar_of({{"a", "1"}}), zip), "'archive' of the configuration"));
}

TEST_CASE("names that lead elsewhere are refused in every spelling and in every format") {
  for (const std::string& name : {"/etc/passwd"s, "../victim"s, "a/../../victim"s, "..\\victim"s, "a\\..\\..\\victim"s,
                                  "C:/victim"s, "C:victim"s, "a//b"s, "a/./b"s, "a/.."s, "../b-evil/x"s, "a\x01"s,
                                  "\xff\xfe"s, "././../victim"s, "a/../../b-evil/x"s, "//server/share"s}) {
    CAPTURE(name);
    CHECK(mentions(refused_zip({{"ok", "1"}, {name, "2"}}), "unsafe name"));
    CHECK(mentions(refused_tar({{"ok", "1"}, {name, "2"}}), "unsafe name"));
    CHECK(mentions(Place().refusal(compressed(tar_of({{name, "2"}}), "gzip"), named("x.tgz")), "unsafe name"));
    Place overridden;
    const std::string tar = TarWriter().pax("path", name).add({"harmless", "1"}).finish();
    CHECK(mentions(overridden.refusal(tar, named("x.tar")), "unsafe name"));
  }
  CHECK(mentions(refused_zip({{"a\0b"s, "1"}}), "unsafe name"));
}

TEST_CASE("a tar's long names and the folder that it was made in are fine") {
  Place place;
  const std::string longer = std::string(120, 'n') + "/" + std::string(150, 'm');
  const std::string tar =
      TarWriter().add({"./", "", '5'}).add({"./a", "1"}).pax("path", longer).add({"n", "2"}).finish();
  CHECK(place.unpack(tar, named("x.tar")).files == 2);
  CHECK(files::read(place.into() / longer) == "2");
}

TEST_CASE("names that collide are refused, also when they differ in case only") {
  CHECK(mentions(refused_zip({{"a", "1"}, {"a", "2"}}), "occurs twice"));
  CHECK(mentions(refused_tar({{"a", "1"}, {"a", "2"}}), "occurs twice"));
  CHECK(mentions(refused_tar({{"d/a", "1"}, {"D/b", "2"}}), "upper and lower case"));
  CHECK(mentions(refused_tar({{"größe", "1"}, {"GRÖßE", "2"}}), "upper and lower case"));
  CHECK(mentions(refused_zip({{"Жук", "1"}, {"жук", "2"}}), "upper and lower case"));
  CHECK(mentions(refused_tar({{"a", "1"}, {"a/b", "2"}}), "both a file and a folder"));
  UnpackOptions strip = named("x.tar");
  strip.strip_components = 1;
  CHECK(mentions(refused_tar({{"one/a", "1"}, {"two/a", "2"}}, strip), "once its first folders are stripped"));
}

TEST_CASE("links, devices and pipes are refused; nothing is ever written through a link") {
  CHECK(mentions(refused_tar({{"l", "", '2', "../victim"}, {"l", "2"}}), "symbolic link"));
  CHECK(mentions(refused_tar({{"h", "", '1', "../victim"}}), "hard link"));
  CHECK(mentions(refused_tar({{"a", "1"}, {"h", "", '1', "a"}}), "hard link"));
  for (const char type : {'3', '4', '6'}) {
    CHECK(mentions(refused_tar({{"d", "", type}}), "a device, a pipe"));
  }
  for (const unsigned mode : {0020644U, 0060644U, 0010644U, 0140755U}) {
    CHECK(mentions(refused_zip({{"d", "x", mode}}), "a device, a pipe"));
  }
  CHECK(mentions(refused_zip({{"l", "../victim", 0120777}}), "symbolic link"));
  UnpackOptions allowed = named("x.tar");
  allowed.allow_symlinks = true;
  CHECK(mentions(refused_tar({{"l", "", '2', ".."}, {"l/victim", "2"}}, allowed), "out of the plugin"));
  CHECK(mentions(refused_tar({{"a/x", "1"}, {"l", "", '2', "a"}, {"l/y", "2"}}, allowed), "both a file and a folder"));
}

TEST_CASE("allowed links stay inside, however they are chained") {
  UnpackOptions allowed = named("x.tar");
  allowed.allow_symlinks = true;
  Place place;
  const auto result =
      place.unpack(tar_of({{"v1/a", "1"}, {"d/to", "", '2', "../v1/a"}, {"now", "", '2', "v1"}}), allowed);
  CHECK(result.files == 1);
  CHECK(files::read(place.into() / "d" / "to") == "1");
  CHECK(files::read(place.into() / "now" / "a") == "1");
  Place zipped;
  allowed.file_name = "x.zip";
  (void)zipped.unpack(zip_of({{"v1/a", "1"}, {"now", "v1", 0120777}}), allowed);
  CHECK(files::read(zipped.into() / "now" / "a") == "1");
  allowed.file_name = "x.tar";
  for (const std::string& target : {"/etc"s, "../victim"s, "x/../../victim"s, "d/up/../../.."s, ".."s, ""s,
                                    "../../a/b/f"s, "C:/x"s, "..\\victim"s, "./f"s}) {
    CAPTURE(target);
    CHECK(mentions(refused_tar({{"f", "1"}, {"d/up", "", '2', "../f"}, {"l", "", '2', target}}, allowed), "link"));
  }
  CHECK(mentions(refused_tar({{"f", "1"}, {"l", "", '2', "none"}}, allowed), "not in the archive"));
  CHECK(mentions(refused_tar({{"f", "1"}, {"l", "", '2', "k"}, {"k", "", '2', "l"}}, allowed), "not in the archive"));
}

TEST_CASE("sparse files are refused") {
  const auto map =
      TarWriter::record("GNU.sparse.size", "1048577") + TarWriter::record("GNU.sparse.map", "0,1,1048576,1");
  const std::string newer = TarWriter().add({"x", map, 'x'}).add({"s", "ab"}).finish();
  CHECK(mentions(Place().refusal(newer, named("x.tar")), "sparse"));
  std::string old = TarWriter().add({"s", "ab", 'S'}).finish();
  const auto field = [&](std::size_t at, const std::string& text) { old.replace(at, text.size(), text); };
  field(386, "00000100000\0"s);
  field(398, "00000000002\0"s);
  field(483, "00000100002\0"s);
  field(148, "        ");
  unsigned sum = 0;
  for (const char c : old.substr(0, 512)) {
    sum += static_cast<unsigned char>(c);
  }
  char text[8];
  std::snprintf(text, sizeof(text), "%06o", sum);
  field(148, std::string(text, 7));
  CHECK(mentions(Place().refusal(old, named("x.tar")), "sparse"));
}

TEST_CASE("modes lose everything but the owner's right to execute") {
  Place place;
  (void)place.unpack(tar_of({{"suid", "1", '0', "", 06777}, {"odd", "1", '0', "", 0011}, {"d", "", '5', "", 01777}}),
                     named("x.tar"));
  CHECK(mode_of(place.into() / "suid") == 0755);
  CHECK(mode_of(place.into() / "odd") == 0644);
  CHECK(mode_of(place.into() / "d") == 0755);
  Place zip;
  (void)zip.unpack(zip_of({{"suid", "1", 0106777}}), named("x.zip"));
  CHECK(mode_of(zip.into() / "suid") == 0755);
}

TEST_CASE("limits count what is produced") {
  const auto limited = [](auto set, const std::string& name) {
    UnpackOptions options = named(name);
    set(options.limits);
    return options;
  };
  const auto bytes = [](vdk::plugin::Limits& limits) { limits.unpacked_bytes = 10; };
  CHECK(mentions(refused_tar({{"a", "123456"}, {"b", "123456"}}, limited(bytes, "x.tar")),
                 "entry 'b' it is larger than 10"));
  CHECK(mentions(refused_zip({{"a", "123456"}, {"b", "123456"}}, limited(bytes, "x.zip")),
                 "entry 'b' it is larger than 10"));
  CHECK(mentions(Place().refusal("12345678901", limited(bytes, "a.yaml")), "larger than 10"));
  CHECK(mentions(Place().refusal(compressed("12345678901", "xz"), limited(bytes, "a.xz")), "larger than 10"));
  const auto entries = [](vdk::plugin::Limits& limits) { limits.entries = 2; };
  CHECK(mentions(refused_tar({{"a", ""}, {"b", ""}, {"c", ""}}, limited(entries, "x.tar")), "more than 2 entries"));
  CHECK(mentions(refused_zip({{"a", ""}, {"b", ""}, {"c", ""}}, limited(entries, "x.zip")), "more than 2"));
  const auto names = [](vdk::plugin::Limits& limits) { limits = {.depth = 2, .name_bytes = 5, .path_bytes = 8}; };
  CHECK(mentions(refused_tar({{"a/b/c", ""}}, limited(names, "x.tar")), "2 folders deep"));
  CHECK(mentions(refused_tar({{"123456", ""}}, limited(names, "x.tar")), "name of more than 5"));
  CHECK(mentions(refused_tar({{"1234/5678", ""}}, limited(names, "x.tar")), "path of more than 8"));
}

TEST_CASE("bombs end early, also in layers") {
  const std::string zeros = tar_of({{"zeros", std::string(16U << 20U, '\0')}});
  for (const std::string filter : {"gzip", "xz", "zstd", "bzip2"}) {
    CAPTURE(filter);
    CHECK(mentions(Place().refusal(compressed(zeros, filter), named("x")), "200 times"));
  }
  Place layers;  // one layer is taken off and no more: what is inside stays packed and small
  (void)layers.unpack(compressed(compressed(zeros, "gzip"), "gzip"), named("x.gz"));
  CHECK(fs::file_size(layers.into() / "x") < 200'000);
}

TEST_CASE("a million entries end at the limit") {
  TarWriter writer;
  for (int i = 0; i < 20'000; ++i) {
    writer.add({std::to_string(i), ""});
  }
  UnpackOptions options = named("x.tgz");
  options.include = {"none"};
  CHECK(mentions(Place().refusal(compressed(writer.finish(), "gzip"), options), "more than 10000 entries"));
}

TEST_CASE("what is cut off, damaged or followed by something else is refused") {
  const std::string tar = TarWriter().add({"a", std::string(2000, 'x')}).finish();
  for (const std::string filter : {"gzip", "xz", "zstd", "bzip2"}) {
    CAPTURE(filter);
    const std::string whole = compressed(tar, filter);
    for (const std::size_t missing : {1UL, 9UL, whole.size() / 2}) {
      CAPTURE(missing);
      (void)Place().refusal(whole.substr(0, whole.size() - missing), named("x.tar." + filter));
    }
    (void)Place().refusal(whole + "and more", named("x.tar." + filter));
  }
  CHECK(mentions(Place().refusal(TarWriter().add({"a", "1"}).without_end(), named("x.tar")), "cut off"));
  (void)Place().refusal(tar.substr(0, 1000), named("x.tar"));
  CHECK(mentions(Place().refusal(tar + std::string(512, '\0') + "more", named("x.tar")), "behind its end"));
  CHECK(mentions(Place().refusal(tar + tar_of({{"b", "2"}}), named("x.tar")), "behind its end"));
  std::string damaged = compressed(tar, "gzip");
  damaged[damaged.size() / 2] ^= 0x55;
  (void)Place().refusal(damaged, named("x.tgz"));
  CHECK(mentions(Place().refusal(std::string(1024, '\0'), named("x.tar")), "no archive"));
  CHECK(mentions(Place().refusal(zip_of({}), named("x.zip")), "empty"));
}

TEST_CASE("a zip that says two things, or hides one, is refused") {
  ZipItem other{"a", "1"};
  other.local_name = "../victim";
  CHECK(mentions(refused_zip({other}), "at another place"));
  ZipItem longer{"a", "1"};
  longer.directory_size = 100;
  (void)refused_zip({longer, {"b", "2"}});
  ZipItem hidden{"hidden", "1"};
  hidden.in_directory = false;
  (void)refused_zip({hidden, {"b", "2"}});
  const std::string zip = zip_of({{"a", "1"}});
  (void)Place().refusal(zip + "more", named("x.zip"));
  (void)Place().refusal("MZ" + zip, named("x.zip"));
  (void)Place().refusal(zip.substr(0, zip.size() - 5), named("x.zip"));
  std::string encrypted = zip;
  encrypted[6] |= 1;
  encrypted[encrypted.find("PK\x01\x02") + 8] |= 1;
  CHECK(mentions(Place().refusal(encrypted, named("x.zip")), "encrypted"));
  std::string wrong_bytes = zip;
  wrong_bytes[wrong_bytes.find("a1") + 1] = '2';
  CHECK(mentions(Place().refusal(wrong_bytes, named("x.zip")), "damaged"));
  std::string overlapping = zip_of({{"a", "1"}, {"b", "2"}});
  overlapping[overlapping.rfind("PK\x01\x02") + 42] = '\0';
  (void)Place().refusal(overlapping, named("x.zip"));
}

TEST_CASE("leading folders are stripped and only wanted files kept") {
  UnpackOptions options = named("x.tar");
  options.strip_components = 1;
  options.include = {"*.yaml", "bin/"};
  Place place;
  const auto result = place.unpack(tar_of({{"top/", "", '5'},
                                           {"top/a.yaml", "1"},
                                           {"top/README", "2"},
                                           {"top/deep/b.yaml", "3"},
                                           {"top/bin/tool", "4"},
                                           {"top/empty/", "", '5'}}),
                                   options);
  CHECK(result.files == 3);
  CHECK(fs::exists(place.into() / "a.yaml"));
  CHECK(fs::exists(place.into() / "deep" / "b.yaml"));
  CHECK(fs::exists(place.into() / "bin" / "tool"));
  CHECK_FALSE(fs::exists(place.into() / "README"));
  CHECK_FALSE(fs::exists(place.into() / "empty"));
  options.include = {"*.none"};
  CHECK(mentions(refused_tar({{"top/a", "1"}}, options), "No file of it is left"));
}
