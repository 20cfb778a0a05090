// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "plugin/config/paths.hpp"
#include "plugin/config/reader.hpp"
#include "plugin/config/versions.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin::config {
namespace {

using yaml::Document;
using yaml::Section;

const std::vector<std::string> k_plugin_keys = {"provider",  "path", "name",     "version",          "sha256",
                                                "signature", "pin",  "archive",  "strip_components", "include",
                                                "os",        "arch", "platforms"};
constexpr std::string_view k_hex = "0123456789abcdef";

bool is_sha256(const std::string& text) {
  constexpr std::size_t digits = 64;
  return text.size() == digits && text.find_first_not_of(k_hex) == std::string::npos;
}

bool is_platform_word(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

bool is_platform(const std::string& text) {
  const auto slash = text.find('/');
  return slash != std::string::npos && is_platform_word(text.substr(0, slash)) &&
         is_platform_word(text.substr(slash + 1));
}

/// What is wrong with a path below a provider; empty when nothing is.
std::string path_mistake(const std::string& path) {
  if (path.find("://") != std::string::npos) {
    return "a path stands below its provider and is no address";
  }
  if (path.starts_with("/")) {
    return "a path below a provider does not begin with '/'";
  }
  if (path.starts_with("-")) {
    return "a path does not begin with '-'";
  }
  if (path.find('\\') != std::string::npos ||
      std::any_of(path.begin(), path.end(), [](unsigned char c) { return c < ' ' || c == 127; })) {
    return "a path holds neither backslashes nor control characters";
  }
  const std::vector<std::string> parts = text::split(path, '/');
  if (std::find(parts.begin(), parts.end(), "..") != parts.end()) {
    return "'..' would leave the provider";
  }
  for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1)) {
    const std::string word = path.substr(at, path.find('}', at) - at + 1);
    if (word != "{version}" && word != "{os}" && word != "{arch}") {
      return "there is no placeholder '" + word + "'; there are {version}, {os} and {arch}";
    }
  }
  return {};
}

void read_sha256(Document& document, Section& section, PluginEntry& entry) {
  const auto* given = section.find("sha256");
  if (given == nullptr) {
    return;
  }
  const auto take = [&](const std::string& platform, const YAML::Node& node) {
    std::string hash = node.IsScalar() ? text::lower(node.Scalar()) : std::string();
    if (hash.starts_with("sha256:")) {
      hash.erase(0, hash.find(':') + 1);
    }
    if (!is_sha256(hash)) {
      document.error(document.where(node.Mark()), "a sha256 has 64 hexadecimal digits");
    } else if (!entry.sha256.emplace(platform, std::move(hash)).second) {
      document.error(document.where(node.Mark()), "there is a sha256 for '" + platform + "' already");
    }
  };
  if (!given->value.IsMap()) {
    take("", given->value);
    return;
  }
  for (const auto& item : given->value) {
    const std::string platform = item.first.IsScalar() ? item.first.Scalar() : std::string();
    if (!is_platform(platform)) {
      document.error(document.where(item.first.Mark()), "'" + platform + "' is no platform",
                     "write for example linux/amd64");
    } else {
      take(platform, item.second);
    }
  }
}

void read_platforms(Section& section, PluginEntry& entry) {
  entry.platforms = section.texts("platforms");
  for (const std::string& platform : entry.platforms) {
    if (!is_platform(platform)) {
      section.error("platforms", "'" + platform + "' is no platform", "write for example linux/amd64");
    }
  }
  const std::vector<std::string> systems = section.texts("os");
  const std::vector<std::string> machines = section.texts("arch");
  if (systems.empty() != machines.empty()) {
    section.error(systems.empty() ? "arch" : "os", "'os' and 'arch' belong together",
                  "or write platforms: [linux/amd64]");
  }
  if (!entry.platforms.empty() && !systems.empty()) {
    section.error("os", "'platforms' and 'os' are two ways to say one thing", "keep one of the two");
  }
  for (const std::string& system : systems) {
    for (const std::string& machine : machines) {
      if (!is_platform_word(system) || !is_platform_word(machine)) {
        section.error("os", "'" + system + "/" + machine + "' is no platform", "write for example linux and amd64");
      }
      entry.platforms.push_back(system + "/" + machine);
    }
  }
  std::sort(entry.platforms.begin(), entry.platforms.end());
  if (std::adjacent_find(entry.platforms.begin(), entry.platforms.end()) != entry.platforms.end()) {
    section.error("platforms", "a platform stands there twice");
  }
}

void read_archive(Section& section, PluginEntry& entry) {
  using Archive = PluginEntry::Archive;
  static const std::map<std::string, Archive> kinds = {{"auto", Archive::automatic}, {"zip", Archive::zip},
                                                       {"tar.gz", Archive::tar_gz},  {"tgz", Archive::tar_gz},
                                                       {"tar", Archive::tar},        {"none", Archive::none}};
  const std::string kind = text::lower(section.text("archive", "auto"));
  const auto found = kinds.find(kind);
  if (found == kinds.end()) {
    section.error("archive", "there is no archive kind '" + kind + "'",
                  "there are 'auto', 'zip', 'tar.gz', 'tar' and 'none'");
  } else {
    entry.archive = found->second;
  }
  constexpr int deepest = 32;
  entry.strip_components = static_cast<unsigned>(section.integer("strip_components", 0, 0, deepest));
  entry.include = section.texts("include");
  for (const std::string& pattern : entry.include) {
    if (pattern.empty() || pattern.starts_with("/") || pattern.find("..") != std::string::npos) {
      section.error("include", "'" + pattern + "' is no pattern of files inside the plugin",
                    "write for example '*.yaml' or 'bin/**'");
    }
  }
}

void check_provider(Section& section, const PluginEntry& entry, const Config& config) {
  std::vector<std::string> names;
  for (const ProviderConfig& provider : config.providers) {
    names.push_back(provider.name);
  }
  if (entry.provider.empty() || std::find(names.begin(), names.end(), entry.provider) != names.end()) {
    return;
  }
  const auto near = text::nearest(entry.provider, names);
  section.error("provider", "there is no provider '" + entry.provider + "'",
                near            ? "did you mean '" + *near + "'?"
                : names.empty() ? "the list 'providers' is empty"
                                : "there are " + text::quoted_list(names));
}

void check_version(Section& section, const PluginEntry& entry) {
  if (entry.version.empty()) {
    if (entry.path.find("{version}") != std::string::npos) {
      section.error("path", "the path needs a version", "add version: \"*\" for the newest, or an exact one");
    }
    return;
  }
  if (!is_constraint(entry.version)) {
    if (!is_plugin_version(entry.version)) {
      section.error("version", "'" + entry.version + "' is no version",
                    "letters, digits, '.', '_', '+' and '-', at most 64");
    }
    return;
  }
  if (const auto mistake = constraint_mistake(entry.version)) {
    section.error("version", "cannot read the version '" + entry.version + "': " + *mistake,
                  "write for example 1.2.3, ^1.2, ~1.2 or '>=1, <2'");
  } else if (entry.path.find("{version}") == std::string::npos) {
    section.error("version", "'" + entry.version + "' names several versions but the path has no {version}",
                  "put {version} into the path, or give an exact version");
  }
}

/// What the policy asks of every plugin and can be seen without fetching anything.
void check_signature(Section& section, const PluginEntry& entry, const Config& config) {
  const auto provider = std::find_if(config.providers.begin(), config.providers.end(),
                                     [&](const ProviderConfig& one) { return one.name == entry.provider; });
  const bool keys = provider == config.providers.end() || !provider->trusted_keys.empty();
  if (config.policy.require_signature && entry.signature.empty()) {
    section.error("signature", "the policy asks for a signature and this plugin has none",
                  "add signature: true, or the path of its .minisig file");
  } else if (!entry.signature.empty() && !keys) {
    section.error("signature", "its provider '" + entry.provider + "' has no trusted_keys to check the signature with",
                  "add trusted_keys to the provider");
  }
}

}  // namespace

std::string name_from_path(std::string_view path) {
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  std::string name = text::lower(path.substr(path.rfind('/') + 1));
  for (const std::string_view suffix : {".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst",
                                        ".tar", ".zip", ".yaml", ".yml", ".git", ".gz", ".bz2", ".xz", ".zst"}) {
    if (name.ends_with(suffix)) {
      name.resize(name.size() - suffix.size());
      break;
    }
  }
  // What comes after a version or a platform is not the name: x-1.2_linux, x_{version}
  for (std::size_t i = 1; i + 1 < name.size(); ++i) {
    const bool separator = name[i] == '-' || name[i] == '_' || name[i] == '.';
    const char next = name[i + 1];
    const bool version = next == '{' || (next >= '0' && next <= '9') ||
                         (next == 'v' && i + 2 < name.size() && name[i + 2] >= '0' && name[i + 2] <= '9');
    if (separator && version) {
      name.resize(i);
      break;
    }
  }
  return name;
}

/// Name of a plugin that has none of its own: after its file or folder, or after the repository that it is.
static std::string name_of_source(const PluginEntry& entry, const Config& config) {
  const auto provider = std::find_if(config.providers.begin(), config.providers.end(),
                                     [&](const ProviderConfig& one) { return one.name == entry.provider; });
  if (provider == config.providers.end()) {
    return name_from_path(path_of_file(ProviderKind::http, entry.path));
  }
  const std::string_view path = path_of_file(provider->kind, entry.path);
  return name_from_path(path == "." ? std::string_view(provider->url) : path);
}

void check_plugin_name(Document& document, const SourceLocation& where, const std::string& name, const Config& config,
                       const std::string& hint) {
  if (!is_plugin_name(name)) {
    document.error(where, "'" + name + "' is no name of a plugin: small letters, digits, '-' and '_', at most 64",
                   hint);
    return;
  }
  for (const PluginEntry& other : config.plugins) {
    if (other.name == name) {
      document.error(where, "there is a plugin '" + name + "' already, in line " + std::to_string(other.where.line),
                     hint);
      return;
    }
  }
}

void read_plugin(Document& document, const YAML::Node& node, Config& config) {
  Section section(document, node, "a plugin", k_plugin_keys);
  PluginEntry entry;
  entry.where = section.where();
  entry.provider = section.required("provider", "company");
  entry.path = section.required("path", "my-plugin.tar.gz");
  if (const std::string mistake = path_mistake(entry.path); !mistake.empty()) {
    section.error("path", mistake);
  }
  entry.version = std::string(text::trim(section.text("version")));
  entry.pin = section.text("pin");
  entry.signature = section.text("signature");
  if (const auto all = text::parse_bool(entry.signature)) {
    entry.signature = *all ? entry.path + ".minisig" : "";
  } else if (const std::string mistake = path_mistake(entry.signature); !mistake.empty()) {
    section.error("signature", mistake);
  }
  read_sha256(document, section, entry);
  read_platforms(section, entry);
  read_archive(section, entry);
  check_provider(section, entry, config);
  check_version(section, entry);
  check_signature(section, entry, config);
  const bool named = section.find("name") != nullptr;
  entry.name = named ? section.text("name") : name_of_source(entry, config);
  if (named || !entry.path.empty()) {
    check_plugin_name(document, section.where(named ? "name" : "path"), entry.name, config,
                      named ? "" : "add a `name` of its own");
  }
  config.plugins.push_back(std::move(entry));
}

void read_policy(Document& document, const YAML::Node& node, Policy& policy) {
  static const std::vector<std::string> limit_keys = {"download_bytes", "unpacked_bytes", "ratio",      "entries",
                                                      "depth",          "name_bytes",     "path_bytes", "yaml_bytes"};
  Section section(document, node, "the policy", {"require_checksum", "require_signature", "allow_symlinks", "limits"});
  policy.require_checksum = section.flag("require_checksum", false);
  policy.require_signature = section.flag("require_signature", false);
  policy.allow_symlinks = section.flag("allow_symlinks", false);
  const auto* entry = section.find("limits");
  if (entry == nullptr) {
    return;
  }
  Section limits(document, entry->value, "the limits", limit_keys);
  const auto number = [&](const std::string& key, auto& target, std::int64_t highest) {
    target =
        static_cast<std::decay_t<decltype(target)>>(limits.integer(key, static_cast<std::int64_t>(target), 1, highest));
  };
  constexpr std::int64_t many_bytes = 1LL << 40U;
  number("download_bytes", policy.limits.download_bytes, many_bytes);
  number("unpacked_bytes", policy.limits.unpacked_bytes, many_bytes);
  number("ratio", policy.limits.ratio, 1'000'000);
  number("entries", policy.limits.entries, 10'000'000);
  number("depth", policy.limits.depth, 255);
  number("name_bytes", policy.limits.name_bytes, 255);
  number("path_bytes", policy.limits.path_bytes, 4096);
  number("yaml_bytes", policy.limits.yaml_bytes, 1LL << 30U);
}

}  // namespace vdk::plugin::config
