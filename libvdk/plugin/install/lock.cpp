// SPDX-License-Identifier: Apache-2.0
#include "plugin/install/lock.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "plugin/config/versions.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

using nlohmann::json;

constexpr int k_version = 1;
constexpr std::size_t k_hex_digits = 64;

const char* const k_mend =
    "Take the file back from version control, or delete it and run `vdk plugin install`, which locks anew what is "
    "there now.";

/// A file that is not what we wrote.
class Reader {
 public:
  Reader(const std::filesystem::path& file, const std::string& text) : m_file(file), m_text(text) {}

  Lock read() const {
    refuse_conflict_markers();
    const json root = parse();
    only(root, {}, {"version", "config", "plugins"});
    const json version = member(root, {}, "version", json::value_t::number_unsigned);
    if (version.get<std::uint64_t>() != k_version) {
      fail({"version"}, "it has version " + version.dump() + " and this vdk knows " + std::to_string(k_version),
           "Use the vdk that wrote it, or a newer one.");
    }
    Lock lock;
    lock.config_digest = hash(root, {}, "config");
    const json plugins = member(root, {}, "plugins", json::value_t::object);
    for (const auto& [name, value] : plugins.items()) {
      if (!is_plugin_name(name)) {
        fail({"plugins", name}, "'" + name + "' is no name of a plugin");
      }
      lock.plugins.emplace(name, plugin(value, {"plugins", name}));
    }
    return lock;
  }

 private:
  using Path = std::vector<std::string>;

  [[noreturn]] void fail(const Path& path, const std::string& why, const std::string& mend = k_mend) const {
    throw error(place(path), why, mend);
  }

  [[nodiscard]] Error error(SourceLocation at, const std::string& why, const std::string& mend) const {
    return {ErrorKind::configuration,
            {.what = "the lock file '" + m_file.string() + "' is damaged",
             .why = why,
             .consequences = "Nothing was changed.",
             .countermeasures = mend},
            std::move(at)};
  }

  [[nodiscard]] SourceLocation at_line(std::size_t line, std::size_t column) const {
    const std::vector<std::string> lines = text::lines(m_text);
    return {m_file.string(), line, column, 1, line >= 1 && line <= lines.size() ? lines[line - 1] : std::string()};
  }

  /// JSON has no positions; YAML, which it is a part of, does. Only asked for when something is wrong.
  [[nodiscard]] SourceLocation place(const Path& path) const {
    try {
      YAML::Node node = YAML::Load(m_text);
      for (const std::string& key : path) {
        const YAML::Node next = node.IsMap() ? static_cast<const YAML::Node&>(node)[key] : YAML::Node();
        if (!next.IsDefined() || next.IsNull()) {
          break;
        }
        node.reset(next);
      }
      return at_line(static_cast<std::size_t>(node.Mark().line) + 1, static_cast<std::size_t>(node.Mark().column) + 1);
    } catch (const YAML::Exception&) {
      return at_line(1, 1);
    }
  }

  void refuse_conflict_markers() const {
    std::size_t number = 0;
    for (const std::string& line : text::lines(m_text)) {
      ++number;
      if (line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ")) {
        throw error(at_line(number, 1), "a merge left its conflict marks in it",
                    "Keep either side of the conflict and run `vdk plugin install`, which brings it up to date.");
      }
    }
  }

  [[nodiscard]] json parse() const {
    std::vector<std::set<std::string>> keys;
    std::string twice;
    const auto watch = [&](int /*depth*/, json::parse_event_t event, json& value) {
      if (event == json::parse_event_t::object_start) {
        keys.emplace_back();
      } else if (event == json::parse_event_t::object_end) {
        keys.pop_back();
      } else if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
        twice = value.get<std::string>();
      }
      return true;
    };
    try {
      json root = json::parse(m_text, watch);
      if (!twice.empty()) {
        fail({}, "the key '" + twice + "' stands in it twice");
      }
      if (!root.is_object()) {
        fail({}, "it is no JSON object");
      }
      return root;
    } catch (const json::parse_error& problem) {
      const std::size_t byte = std::min(problem.byte == 0 ? 0 : problem.byte - 1, m_text.size());
      const auto end = m_text.begin() + static_cast<std::ptrdiff_t>(byte);
      const auto line = static_cast<std::size_t>(std::count(m_text.begin(), end, '\n')) + 1;
      const auto start = m_text.rfind('\n', byte == 0 ? 0 : byte - 1);
      throw error(at_line(line, start == std::string::npos ? byte + 1 : byte - start), "it is not JSON from here on",
                  k_mend);
    }
  }

  void only(const json& object, const Path& path, const std::vector<std::string>& known) const {
    for (const auto& [key, value] : object.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        Path at = path;
        at.push_back(key);
        fail(at, "the key '" + key + "' is unknown");
      }
    }
  }

  [[nodiscard]] json member(const json& object, const Path& path, const std::string& key, json::value_t type) const {
    const auto found = object.find(key);
    Path at = path;
    at.push_back(key);
    if (found == object.end()) {
      fail(path, "'" + key + "' is missing");
    }
    if (found->type() != type) {
      fail(at, "'" + key + "' is of the wrong kind");
    }
    return *found;
  }

  [[nodiscard]] std::string text_of(const json& object, const Path& path, const std::string& key) const {
    return member(object, path, key, json::value_t::string).get<std::string>();
  }

  /// Left out when empty.
  [[nodiscard]] std::string maybe(const json& object, const Path& path, const std::string& key) const {
    return object.contains(key) ? text_of(object, path, key) : std::string();
  }

  [[nodiscard]] std::string hash(const json& object, Path path, const std::string& key) const {
    std::string value = text_of(object, path, key);
    if (value.size() != k_hex_digits || value.find_first_not_of("0123456789abcdef") != std::string::npos) {
      path.push_back(key);
      fail(path, "'" + key + "' must have 64 hexadecimal digits");
    }
    return value;
  }

  [[nodiscard]] LockedPlugin plugin(const json& value, const Path& path) const {
    if (!value.is_object()) {
      fail(path, "a plugin is a JSON object");
    }
    only(value, path, {"version", "provider", "source", "unpack", "signer", "platforms"});
    LockedPlugin out;
    out.version = maybe(value, path, "version");
    if (!out.version.empty() && !is_plugin_version(out.version)) {
      fail(path, "'" + out.version + "' is no version");
    }
    const json provider = member(value, path, "provider", json::value_t::object);
    only(provider, path, {"name", "type"});
    out.provider = text_of(provider, path, "name");
    out.provider_kind = text_of(provider, path, "type");
    out.source = hash(value, path, "source");
    out.unpack = hash(value, path, "unpack");
    out.signer = maybe(value, path, "signer");
    const json platforms = member(value, path, "platforms", json::value_t::object);
    for (const auto& [name, artifact] : platforms.items()) {
      Path at = path;
      at.insert(at.end(), {"platforms", name});
      out.platforms.emplace(name, read_artifact(artifact, at));
    }
    return out;
  }

  [[nodiscard]] LockedArtifact read_artifact(const json& value, const Path& path) const {
    if (!value.is_object()) {
      fail(path, "a platform is a JSON object");
    }
    only(value, path, {"path", "resolved", "pin", "size", "sha256", "tree_sha256", "signature"});
    LockedArtifact out;
    out.path = text_of(value, path, "path");
    out.resolved = text_of(value, path, "resolved");
    out.pin = maybe(value, path, "pin");
    out.size = member(value, path, "size", json::value_t::number_unsigned).get<std::uint64_t>();
    out.sha256 = hash(value, path, "sha256");
    out.tree_sha256 = hash(value, path, "tree_sha256");
    out.signature = maybe(value, path, "signature");
    return out;
  }

  const std::filesystem::path& m_file;
  const std::string& m_text;
};

void put(json& object, const char* key, const std::string& value) {
  if (!value.empty()) {
    object[key] = value;
  }
}

json to_json(const LockedArtifact& artifact) {
  json out = {{"path", artifact.path},
              {"resolved", artifact.resolved},
              {"size", artifact.size},
              {"sha256", artifact.sha256},
              {"tree_sha256", artifact.tree_sha256}};
  put(out, "pin", artifact.pin);
  put(out, "signature", artifact.signature);
  return out;
}

json to_json(const LockedPlugin& plugin) {
  json out = {{"provider", {{"name", plugin.provider}, {"type", plugin.provider_kind}}},
              {"source", plugin.source},
              {"unpack", plugin.unpack},
              {"platforms", json::object()}};
  put(out, "version", plugin.version);
  put(out, "signer", plugin.signer);
  for (const auto& [platform, artifact] : plugin.platforms) {
    out["platforms"][platform] = to_json(artifact);
  }
  return out;
}

}  // namespace

std::string to_text(const Lock& lock) {
  json root = {{"version", k_version}, {"config", lock.config_digest}, {"plugins", json::object()}};
  for (const auto& [name, plugin] : lock.plugins) {
    root["plugins"][name] = to_json(plugin);
  }
  return root.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Lock parse_lock(const std::filesystem::path& file, const std::string& text) { return Reader(file, text).read(); }

std::optional<Lock> read_lock(const std::filesystem::path& file) {
  const auto text = files::read_if_exists(file);
  return text ? std::optional(parse_lock(file, *text)) : std::nullopt;
}

}  // namespace vdk::plugin
