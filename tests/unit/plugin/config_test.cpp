// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/config.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/install.hpp"

using namespace vdk;
using plugin::Auth;
using plugin::Config;
using plugin::PluginEntry;
using plugin::ProviderKind;

namespace {

struct Folder {
  files::TemporaryDirectory directory;
  std::filesystem::path file = directory.path() / "vdk-plugins.yaml";

  Config load(const std::string& content) const {
    files::write_atomic(file, content);
    return plugin::load_config(file);
  }
  /// The text of the one error that the content gives.
  std::string mistakes(const std::string& content) const {
    files::write_atomic(file, content);
    try {
      (void)plugin::load_config(file);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::configuration);
      return error.text().why;
    }
    return "no mistake was found";
  }
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string k_rfc = R"(plugins:
  plugin_dir: ""
  providers:
  - type: http
    name: internal_url_xyz_org
    url: https://plugins.example.com/repo
    auth:
  - type: gcs
    name: private_gcs_backend_team
    bucket: backend
    service_account: eyJ0eXBlIjoieCJ9
  plugins:
  - provider: internal_url_xyz_org
    path: bq2bq.tar.gz
  - provider: private_gcs_backend_team
    path: sub/neo-0.1.0.zip
)";

}  // namespace

TEST_CASE("the RFC's own configuration is read as it stands") {
  const Folder folder;
  const Config config = folder.load(k_rfc);
  CHECK(config.plugin_dir == folder.directory.path() / ".plugins");
  CHECK(plugin::lock_file(config) == folder.directory.path() / "vdk-plugins.lock");
  REQUIRE(config.providers.size() == 2);
  CHECK(config.providers[0].kind == ProviderKind::http);
  CHECK(config.providers[0].auth.kind == Auth::Kind::none);
  CHECK(config.providers[1].bucket == "backend");
  CHECK(config.providers[1].auth.kind == Auth::Kind::service_account);
  REQUIRE(config.plugins.size() == 2);
  CHECK(config.plugins[0].name == "bq2bq");
  CHECK(config.plugins[1].name == "neo");
  REQUIRE(config.warnings.size() == 1);
  CHECK(contains(config.warnings[0].message, "a secret stands in the file"));
  CHECK(config.warnings[0].location.line == 11);
  CHECK_FALSE(contains(config.warnings[0].message, "eyJ0"));
}

TEST_CASE("the lock file cannot be the configuration itself") {
  const Folder folder;
  CHECK(contains(folder.mistakes("plugins:\n  lock_file: ./sub/../vdk-plugins.yaml\n"),
                 "2:14: 'lock_file' names this file"));
}

TEST_CASE("the outer key may be plugin_manager, folders count from the file, keys in other case are a warning") {
  const Folder folder;
  const Config config = folder.load(
      "plugin_manager:\n  plugin_dir: sub/../dir/\n  lock_file: /x/l.lock\n  Providers:\n  - {type: local, name: here, "
      "path: .}\n  plugins:\n  - {provider: here, path: 'a-{version}.tgz', version: ^1}\n");
  CHECK(config.plugin_dir == folder.directory.path() / "dir");
  CHECK(config.lock == "/x/l.lock");
  CHECK(config.plugins.at(0).name == "a");
  REQUIRE(config.warnings.size() == 1);
  CHECK(config.warnings[0].message == "the key 'Providers' is written 'providers'");
}

TEST_CASE("all mistakes come at once, each with line, column and the nearest known word") {
  const Folder folder;
  const std::string why = folder.mistakes(R"(plugins:
  providers:
  - type: htpp
    name: one
  - type: http
    name: two
    url: http://example.com
    bukket: x
  - type: s3
    name: three
    bucket: b
    url: https://example.com
    auth: {type: bearr, token: env:T}
  plugins:
  - provider: tow
    path: ../up.zip
    name: Bad/Name
  - provider: two
    path: x-{version}.zip
  - provider: two
    path: /abs.zip
    sha256: abc
    version: ">=one"
    strip_components: -1
  - provider: two
    path: x.zip
    nmae: y
  policy: {require_checksum: perhaps, limits: {entries: 0}}
)");
  for (const char* part :
       {"3:11: there is no provider of type 'htpp' (did you mean 'http'?)", "7:10: http:// to another machine",
        "8:5: unknown key 'bukket' in a provider (did you mean 'bucket'?)",
        "12:5: 'url' means nothing to a provider of type s3",
        "13:18: there is no auth type 'bearr' (did you mean 'bearer'?)",
        "15:15: there is no provider 'tow' (did you mean 'two'?)", "16:11: '..' would leave the provider",
        "17:11: 'Bad/Name' is no name of a plugin", "19:11: the path needs a version",
        "21:11: a path below a provider does not begin with '/'", "22:13: a sha256 has 64 hexadecimal digits",
        "23:14: cannot read the version '>=one'", "24:23: 'strip_components' must be a whole number from 0 to 32",
        "26:11: there is a plugin 'x' already, in line 18",
        "27:5: unknown key 'nmae' in a plugin (did you mean 'name'?)",
        "28:30: 'require_checksum' must be true or false", "28:57: 'entries' must be a whole number"}) {
    CHECK_MESSAGE(contains(why, part), part, " in\n", why);
  }
}

TEST_CASE("files that are no configuration say so") {
  const Folder folder;
  CHECK(contains(folder.mistakes(""), "the file is empty"));
  CHECK(contains(folder.mistakes("a: [1\nb: }"), "this is not YAML"));
  CHECK(contains(folder.mistakes("- a\n- b\n"), "KEY: VALUE"));
  CHECK(contains(folder.mistakes("\xff\xfe"), "UTF-8"));
  CHECK(contains(folder.mistakes("plugins: {}\n---\nplugins: {}\n"), "3:1: a second YAML document"));
  CHECK(contains(folder.mistakes("plugins: {}\nplugins: {}\n"), "2:1: the key 'plugins' stands in the file a second"));
  CHECK(contains(folder.mistakes("plugin: {}\nplugin_manger: {}\n"), "did you mean 'plugin_manager'?"));
  CHECK(contains(folder.mistakes("plugins:\n- provider: x\n"), "indent the list below a second key 'plugins'"));
  CHECK(contains(folder.mistakes("host: x\nplugins: {}\nplugin_manager: {}\n"), "two names of one section"));
  CHECK(contains(folder.mistakes("log: {}\n"), "there is no section 'plugins'"));
  CHECK(contains(folder.mistakes(std::string(2U << 20U, '#')), "at most 1048576"));
  CHECK(contains(folder.mistakes(std::string(100'000, '[')), "this is not YAML"));
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'z'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + c + " [*" + before + ",*" + before + ",*" + before + ",*" + before + "]\n";
  }
  CHECK(contains(folder.mistakes(bomb + "plugins: *y\n"), "unknown key 'a'"));
  try {
    (void)plugin::load_config(folder.directory.path() / "missing.yaml");
    FAIL("a missing file was read");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::not_found);
  }
}

TEST_CASE("auth of every kind") {
  const Folder folder;
  const Config config = folder.load(R"(plugins:
  providers:
  - {type: https, name: a, url: https://example.com, auth: env:TOKEN}
  - {type: http, name: b, url: https://example.com, auth: {type: basic, user: me, password: file:pw}}
  - {type: http, name: c, url: https://example.com, auth: {type: header, name: X-Key, value: env:KEY}}
  - {type: http, name: d, url: http://127.0.0.1:8080, auth: {type: netrc}}
  - {type: gcs, name: e, bucket: b, auth: file:account.json}
  - {type: s3, name: f, bucket: b, auth: {type: sigv4, access_key: AKIA, secret_key: env:S}}
  - {type: git, name: g, url: git@example.com:o/r.git, auth: {type: ssh_key, key: file:id}}
)");
  const auto& all = config.providers;
  CHECK(all[0].auth.kind == Auth::Kind::bearer);
  CHECK(all[1].auth.name == "me");
  CHECK(all[1].auth.secret.base == folder.directory.path());
  CHECK(all[2].auth.name == "X-Key");
  CHECK(all[3].auth.kind == Auth::Kind::netrc);
  CHECK(all[4].auth.kind == Auth::Kind::service_account);
  CHECK(all[5].auth.access_key.text == "AKIA");
  CHECK(all[6].auth.kind == Auth::Kind::ssh_key);
  CHECK(config.warnings.empty());
  const std::string why = folder.mistakes(R"(plugins:
  providers:
  - {type: http, name: a, url: https://example.com, auth: {type: sigv4}}
  - {type: s3, name: b, bucket: b, auth: env:X}
  - {type: s3, name: c, bucket: b, auth: {type: sigv4, access_key: env:A, token: env:B}}
  - {type: http, name: d, url: https://example.com, auth: {type: bearer, token: 'env:'}}
  - {type: http, name: e, url: ftp://example.com, trusted_keys: [nonsense]}
)");
  CHECK(contains(why, "a provider of type http has no auth type 'sigv4'"));
  CHECK(contains(why, "the auth of an s3 provider is a section"));
  CHECK(contains(why, "'access_key' and 'secret_key' belong together"));
  CHECK(contains(why, "'token' does not belong to auth type 'sigv4'"));
  CHECK(contains(why, "nothing stands after 'env:'"));
  CHECK(contains(why, "is no address that a provider of type http can ask"));
  CHECK(contains(why, "is no public key of minisign"));
}

TEST_CASE("a policy that asks for a signature is refused where there is none") {
  const Folder folder;
  const std::string provider = "  providers: [{type: file, name: f, path: .}]\n";
  CHECK(contains(folder.mistakes("plugins:\n" + provider +
                                 "  policy: {require_signature: true}\n  plugins: [{provider: f, path: a.zip}]\n"),
                 "this plugin has none"));
  CHECK(
      contains(folder.mistakes("plugins:\n" + provider + "  plugins: [{provider: f, path: a.zip, signature: true}]\n"),
               "has no trusted_keys"));
}

TEST_CASE("Optimus's flat list becomes providers and plugins") {
  const Folder folder;
  const std::string hash(64, 'a');
  const Config config = folder.load(
      "version: 1\nlog: {level: debug}\nplugin:\n  artifacts:\n"
      "  - https://example.com/dir/bq2bq_0.1.0_linux_amd64.tar.gz?checksum=sha256:" +
      hash +
      "\n"
      "  - ./local/optimus-plugin-neo.yaml\n"
      "  - git::https://example.com/o/hooks.git//sub/dir?ref=v1.2&depth=1\n"
      "  - github.com/owner/repo\n"
      "  - gcs::https://www.googleapis.com/storage/v1/bucket/a/obj.zip#17\n"
      "  - s3::https://s3-eu-west-1.amazonaws.com/buck/k/key.tgz?version=v7\n"
      "  - s3::http://127.0.0.1:9000/buck/other.tgz\n"
      "  - https://buck.s3.amazonaws.com/plain.zip//in/side?archive=zip\n"
      "  - https://example.com/dir/signed.zip?signature=abc\n");
  const auto find = [&](const std::string& name) {
    for (const PluginEntry& entry : config.plugins) {
      if (entry.name == name) {
        return entry;
      }
    }
    FAIL("no plugin " << name);
    return PluginEntry{};
  };
  const auto provider = [&](const std::string& name) {
    for (const auto& one : config.providers) {
      if (one.name == name) {
        return one;
      }
    }
    FAIL("no provider " << name);
    return plugin::ProviderConfig{};
  };
  const PluginEntry web = find("bq2bq");
  CHECK(web.sha256.at("") == hash);
  CHECK(provider(web.provider).url == "https://example.com/dir");
  const PluginEntry local = find("optimus-plugin-neo");
  CHECK(provider(local.provider).kind == ProviderKind::file);
  CHECK(provider(local.provider).path == "./local");
  const PluginEntry git = find("dir");
  CHECK(git.path == "sub/dir");
  CHECK(provider(git.provider).ref == "v1.2");
  CHECK(provider(find("repo").provider).url == "https://github.com/owner/repo.git");
  CHECK(find("obj").pin == "17");
  CHECK(find("key").pin == "v7");
  CHECK(provider(find("key").provider).region == "eu-west-1");
  CHECK(provider(find("other").provider).endpoint == "http://127.0.0.1:9000");
  CHECK(provider(find("other").provider).path_style);
  CHECK(find("plain").include == std::vector<std::string>{"in/side/**"});
  CHECK(find("plain").strip_components == 2);
  CHECK(find("signed").path == "signed.zip?signature=abc");
}

TEST_CASE("what the flat list asks for and cannot be had is a mistake with its line") {
  const Folder folder;
  const std::string why = folder.mistakes(R"(plugin:
  artifacts:
  - hg::https://example.com/repo
  - https://example.com/dir/
  - https://example.com/a.zip?checksum=md5:abc
  - https://example.com/b.zip?checksum=file:https://example.com/sums
  - https://example.com/c.zip//a*
  - http://example.com/d.zip
  - https://example.com/e.zip?filename=f
  - foo::bar
  - ./
  - [x]
  - gcs::https://www.googleapis.com/storage/v1/bucket
  - git::https://example.com/x?foo=1
)");
  for (const char* part :
       {"3:5: Mercurial", "4:5: an address that ends with '/'", "5:5: only SHA-256",
        "6:5: a checksum from another file", "7:5: a pattern after //", "8:5: http:// to another",
        "9:5: ?filename=", "10:5: there is no source of kind 'foo'", "11:5: a whole folder",
        "12:5: an artifact is one text", "13:5: bucket and object are missing", "14:5: there is no option 'foo'"}) {
    CHECK_MESSAGE(contains(why, part), part, " in\n", why);
  }
}

TEST_CASE("the digest is about what the configuration means") {
  const Folder folder;
  const std::string first = folder.load(k_rfc).digest;
  CHECK(folder.load(text::replace_all(k_rfc, "eyJ0eXBlIjoieCJ9", "env:ACCOUNT")).digest == first);
  CHECK(folder.load("# a comment\n" + text::replace_all(k_rfc, "    auth:\n", "")).digest == first);
  CHECK(folder.load(text::replace_all(k_rfc, "bq2bq.tar.gz", "bq2bq.tgz")).digest != first);
  CHECK(folder.load(text::replace_all(k_rfc, "bucket: backend", "bucket: front")).digest != first);
}

TEST_CASE("a server of the old client's configuration is a server to sync from") {
  const Folder folder;
  const Config config = folder.load("host: localhost:9100\n");
  REQUIRE(config.servers.size() == 1);
  CHECK(config.servers[0].url == "http://localhost:9100");
  CHECK(contains(folder.mistakes("plugins:\n  servers:\n  - {name: A/b, url: ftp://x}\n"), "is no name of a server"));
}
