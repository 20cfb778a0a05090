// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "core/servers.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/http.hpp"
#include "vdk/plugin/provider.hpp"

using namespace vdk;
using plugin::Auth;
using plugin::ProviderConfig;
namespace fs = std::filesystem;

namespace {

/// A source over HTTP with one file, and a place for what is fetched from it.
struct Source {
  files::TemporaryDirectory folder;
  std::string content = std::string(300'000, 'p') + "end";
  std::optional<test::Server> server;
  test::Variable no_proxy{"no_proxy", "127.0.0.1"};

  Source() {
    fs::create_directory(folder.path() / "served");
    files::write_atomic(folder.path() / "served" / "a.bin", content);
    server.emplace(std::vector<std::string>{(folder.path() / "served").string()}, "support/plugin_source.py");
  }
  [[nodiscard]] ProviderConfig config(const std::string& path = "") const {
    ProviderConfig config;
    config.name = "source";
    config.url = server->url(path);
    config.retries = 2;
    config.timeout = std::chrono::seconds(10);
    return config;
  }
  [[nodiscard]] fs::path destination() const { return folder.path() / "fetched"; }
  plugin::Fetched fetch(const ProviderConfig& config, const std::string& path, std::uint64_t max_bytes = 0) const {
    return plugin::make_provider(config, folder.path())
        ->fetch({.path = path, .pin = {}, .destination = destination(), .max_bytes = max_bytes});
  }
  /// Kind and text of a failing fetch; nothing may be left behind.
  std::pair<ErrorKind, std::string> failure(const ProviderConfig& config, const std::string& path,
                                            std::uint64_t max_bytes = 0) const {
    try {
      (void)fetch(config, path, max_bytes);
    } catch (const Error& error) {
      CHECK_FALSE(fs::exists(destination()));
      return {error.kind(), format_error(error)};
    }
    return {ErrorKind::internal, "no error"};
  }
  ErrorKind kind(const std::string& path, std::uint64_t max_bytes = 0) const {
    return failure(config(), path, max_bytes).first;
  }
  [[nodiscard]] std::string log() const { return http::make_client({})->send({.url = server->url("/log")}).body; }
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("http: a file arrives whole with its hash, ETag and address") {
  const Source source;
  const auto fetched = source.fetch(source.config("/files/"), "a.bin");
  CHECK(fetched.sha256 == sha256_hex(source.content));
  CHECK(fetched.size == source.content.size());
  CHECK(fetched.pin.starts_with('"'));
  CHECK(fetched.resolved == source.server->url("/files/a.bin"));
  CHECK(files::read(source.destination()) == source.content);
  CHECK(source.fetch(source.config("/weak"), "/a.bin").pin.empty());
  CHECK(source.fetch(source.config("/files/a.bin?token=S"), "").resolved ==
        source.server->url("/files/a.bin?token=***"));
}

TEST_CASE("http: every way to log in sends the secret, and a wrong one is a refusal that does not show it") {
  const Source source;
  const test::Variable secret("VDK_TEST_SECRET", "secret");
  ProviderConfig config = source.config("/auth");
  config.auth = {.kind = Auth::Kind::basic, .name = "me", .secret = {"env:VDK_TEST_SECRET", {}}};
  CHECK(source.fetch(config, "basic/a.bin").size == source.content.size());
  config.auth = {.kind = Auth::Kind::bearer, .name = {}, .secret = {"env:VDK_TEST_SECRET", {}}};
  CHECK(source.fetch(config, "bearer/a.bin").size == source.content.size());
  config.auth = {.kind = Auth::Kind::header, .name = "X-Key", .secret = {"env:VDK_TEST_SECRET", {}}};
  CHECK(source.fetch(config, "header/a.bin").size == source.content.size());
  files::write_atomic(source.folder.path() / "netrc", "machine 127.0.0.1 login me password secret\n", 0600);
  config.auth = {.kind = Auth::Kind::netrc, .name = (source.folder.path() / "netrc").string()};
  CHECK(source.fetch(config, "basic/a.bin").size == source.content.size());
  config.auth = {};
  config.url = "http://me:secret@" + source.server->url("/auth").substr(7);
  const auto fetched = source.fetch(config, "basic/a.bin");
  CHECK(fetched.resolved.find("secret") == std::string::npos);
  config.url = "http://me:hidden@" + source.server->url("/auth").substr(7);
  const auto [kind, text] = source.failure(config, "basic/a.bin?token=hidden");
  CHECK(kind == ErrorKind::login);
  CHECK(text.find("hidden") == std::string::npos);
  config.auth = {.kind = Auth::Kind::bearer, .name = {}, .secret = {"env:VDK_TEST_UNSET", {}}};
  CHECK(source.failure(config, "bearer/a.bin").first == ErrorKind::configuration);
}

TEST_CASE("http: what is not the file is refused by its own kind of error") {
  const Source source;
  CHECK(source.kind("files/missing.zip") == ErrorKind::not_found);
  CHECK(source.kind("status/403") == ErrorKind::login);
  CHECK(source.kind("status/418") == ErrorKind::platform);
  CHECK(source.kind("status/204") == ErrorKind::platform);
  CHECK(source.kind("html") == ErrorKind::platform);
  CHECK(source.kind("page") == ErrorKind::platform);
  CHECK(source.kind("files/../a.bin") == ErrorKind::configuration);
  CHECK(source.kind("files/a.bin\n") == ErrorKind::configuration);
}

TEST_CASE("http: a server that is busy is asked again, but not for ever") {
  const Source source;
  CHECK(source.fetch(source.config(), "status/503/2").size == 12);
  CHECK(source.fetch(source.config(), "status/429/1").size == 12);
  CHECK(source.kind("status/500") == ErrorKind::unreachable);
  CHECK(count(source.log(), "/status/500") == 3);
}

TEST_CASE("http: a broken download goes on where it ended, and starts anew when the file changed") {
  const Source source;
  const auto fetched = source.fetch(source.config(), "cut/100000/a.bin");
  CHECK(fetched.sha256 == sha256_hex(source.content));
  const std::string log = source.log();
  CHECK(count(log, "\"range\": \"bytes=100000-\"") == 1);
  CHECK(count(log, "\"if-range\"") == 1);
  CHECK(source.fetch(source.config(), "changing/a.bin").sha256 == sha256_hex(source.content + "2"));
  CHECK(files::read(source.destination()) == source.content + "2");
}

TEST_CASE("http: an answer that always ends too early is no plugin") {
  const Source source;
  const auto [kind, text] = source.failure(source.config(), "short/100000/a.bin");
  CHECK(kind == ErrorKind::platform);
  CHECK(text.find("before it was complete") != std::string::npos);
}

TEST_CASE("http: limits of size and time hold against endless, dripping and silent servers") {
  const Source source;
  CHECK(source.kind("files/a.bin", 300'002) == ErrorKind::too_large);
  CHECK(source.fetch(source.config(), "files/a.bin", 300'003).size == 300'003);
  CHECK(source.kind("endless", 10'000'000) == ErrorKind::too_large);
  ProviderConfig config = source.config();
  config.timeout = std::chrono::seconds(1);
  for (const char* path : {"drip", "silent"}) {
    const auto start = std::chrono::steady_clock::now();
    CHECK(source.failure(config, path).first == ErrorKind::unreachable);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));  // drip would last for hours
  }
}

TEST_CASE("http: cancelling ends a download") {
  const Source source;
  std::atomic<bool> cancelled{false};
  const auto provider = plugin::make_provider(source.config(), source.folder.path());
  plugin::FetchRequest request{.path = "drip", .pin = {}, .destination = source.destination()};
  request.cancelled = &cancelled;
  request.progress = [&](std::uint64_t received, std::uint64_t total) {
    CHECK(total == 1'000'000);
    cancelled = received > 2;
  };
  ErrorKind kind = ErrorKind::internal;
  try {
    (void)provider->fetch(request);
  } catch (const Error& error) {
    kind = error.kind();
  }
  CHECK(kind == ErrorKind::interrupted);
  CHECK_FALSE(fs::exists(source.destination()));
}

TEST_CASE("http: redirections are followed five times, and a secret stays with its host") {
  const Source source;
  const Source other;
  CHECK(source.kind("loop") == ErrorKind::platform);
  CHECK(count(source.log(), "/loop") == 6);
  ProviderConfig config = source.config();
  config.auth = {.kind = Auth::Kind::header, .name = "X-Key", .secret = {"secret", {}}};
  CHECK(source.fetch(config, "to?/auth/header/a.bin").size == source.content.size());
  CHECK(source.fetch(config, "to?" + other.server->url("/files/a.bin")).size == source.content.size());
  const std::string log = other.log();
  CHECK(count(log, "/files/a.bin") == 1);
  CHECK(count(log, "x-key") == 0);
  CHECK(source.kind("to?file:///etc/passwd") == ErrorKind::platform);
  CHECK(source.kind("to?http://files.example.com/a.bin") == ErrorKind::platform);
}

TEST_CASE("http: without encryption only this machine is asked") {
  const Source source;
  ProviderConfig config = source.config();
  for (const char* url : {"http://files.example.com/x", "http://127.0.0.1.example.com/x", "ftp://127.0.0.1/x", "/x"}) {
    config.url = url;
    ErrorKind kind = ErrorKind::internal;
    try {
      (void)plugin::make_provider(config, source.folder.path());
    } catch (const Error& error) {
      kind = error.kind();
    }
    CHECK(kind == ErrorKind::configuration);
  }
}

TEST_CASE("https: the authority of the provider is trusted, and nothing leads from https to http") {
  const Source source;
  const auto made = test::make_certificate(source.folder.path(), "IP:127.0.0.1");
  if (!made) {
    MESSAGE("skipped: openssl is not installed");
    return;
  }
  const test::Server tls({"tls", made->certificate, made->key});
  ProviderConfig config = source.config();
  config.url = tls.url("", "https");
  const auto [kind, text] = source.failure(config, "big/1000");
  CHECK(kind == ErrorKind::unreachable);
  CHECK(text.find("cannot be trusted") != std::string::npos);
  config.ca_file = made->authority;
  CHECK(source.fetch(config, "big/1000").size == 1000);
  config.insecure = true;
  CHECK(source.failure(config, "away/" + source.server->port()).second.find("not encrypted") != std::string::npos);
}

TEST_CASE("http: versions come from versions.json") {
  const Source source;
  const auto provider = plugin::make_provider(source.config("/files"), source.folder.path());
  const auto kind = [&] {
    try {
      (void)provider->versions("tool/{version}/a.zip");
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  CHECK(kind() == ErrorKind::unsupported);
  fs::create_directory(source.folder.path() / "served" / "tool");
  files::write_atomic(source.folder.path() / "served/tool/versions.json", R"(["1.0", "1.10.0-rc1"])");
  CHECK(provider->versions("tool/{version}/a.zip") == std::vector<std::string>{"1.0", "1.10.0-rc1"});
  files::write_atomic(source.folder.path() / "served/tool/versions.json", R"(["../1"])");
  CHECK(kind() == ErrorKind::platform);
}

TEST_CASE("s3: the bucket is in the host name, or in the path where a host name cannot have it") {
  const files::TemporaryDirectory folder;
  const test::Server proxy({"http"});  // tells which address it was asked for
  const test::Variable variable("http_proxy", proxy.url(""));
  ProviderConfig config;
  config.kind = plugin::ProviderKind::s3;
  config.name = "bucket";
  config.bucket = "plugins";
  config.prefix = "all/";
  config.endpoint = "http://s3.example.com";
  config.insecure = true;
  const auto asked = [&] {
    (void)plugin::make_provider(config, folder.path())
        ->fetch({.path = "a b.zip", .pin = {}, .destination = folder.path() / "fetched"});
    return files::read(folder.path() / "fetched");
  };
  CHECK(asked() == "by proxy: http://plugins.s3.example.com/all/a%20b.zip");
  config.path_style = true;
  CHECK(asked() == "by proxy: http://s3.example.com/plugins/all/a%20b.zip");
  config.path_style = false;
  config.bucket = "plugins.example";
  CHECK(asked() == "by proxy: http://s3.example.com/plugins.example/all/a%20b.zip");
  config.insecure = false;
  CHECK_THROWS_AS((void)plugin::make_provider(config, folder.path()), Error);
  config.bucket = "plugins@elsewhere.example.com/";
  config.endpoint.clear();
  CHECK_THROWS_AS((void)plugin::make_provider(config, folder.path()), Error);
}

TEST_CASE("file: a folder gives its files and nothing outside of it") {
  const files::TemporaryDirectory folder;
  const fs::path root = folder.path() / "plugins";
  fs::create_directories(root / "tool" / "1.2");
  fs::create_directories(root / "tool" / "1.10.0-rc1");
  files::write_atomic(root / "tool/1.2/tool-1.2.zip", "bytes");
  files::write_atomic(root / "tool/1.10.0-rc1/tool-1.10.0-rc1.zip", "more");
  files::write_atomic(root / "tool/1.10.0-rc1/tool-9.zip", "no");
  files::write_atomic(folder.path() / "outside", "hidden");
  fs::create_symlink("../outside", root / "out");
  fs::create_symlink("/etc", root / "etc");
  fs::create_symlink("1.2", root / "tool" / "latest");
  ProviderConfig config;
  config.kind = plugin::ProviderKind::file;
  config.name = "folder";
  config.path = "plugins";
  config.where.file = (folder.path() / "config.yaml").string();
  const auto provider = plugin::make_provider(config, folder.path());
  const auto failure = [&](const std::string& path, std::uint64_t max_bytes = 0) {
    try {
      (void)provider->fetch(
          {.path = path, .pin = {}, .destination = folder.path() / "fetched", .max_bytes = max_bytes});
    } catch (const Error& error) {
      CHECK_FALSE(fs::exists(folder.path() / "fetched"));
      return error.kind();
    }
    return ErrorKind::internal;
  };
  const auto fetched =
      provider->fetch({.path = "tool/latest/tool-1.2.zip", .pin = {}, .destination = folder.path() / "fetched"});
  CHECK(fetched.sha256 == sha256_hex("bytes"));
  CHECK(fetched.pin == fetched.sha256);
  CHECK(fetched.resolved == (root / "tool/latest/tool-1.2.zip").string());
  fs::remove(folder.path() / "fetched");
  CHECK(failure("tool/1.3/tool-1.3.zip") == ErrorKind::not_found);
  CHECK(failure("out") == ErrorKind::platform);
  CHECK(failure("etc/passwd") == ErrorKind::platform);
  CHECK(failure("../outside") == ErrorKind::configuration);
  CHECK(failure("tool") == ErrorKind::platform);
  CHECK(failure("tool/1.2/tool-1.2.zip", 4) == ErrorKind::too_large);
  CHECK(provider->versions("tool/{version}/tool-{version}.zip") == std::vector<std::string>{"1.10.0-rc1", "1.2"});
  CHECK(provider->versions("none/{version}.zip").empty());
}
