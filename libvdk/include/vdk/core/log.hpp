// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

/// Status sentences for people, always on stderr: plain text for info, `warning: ` and `error: ` before the others
/// (the original's shape). Levels are the original's names.
namespace vdk::log {

enum class Level { debug, info, warning, error, critical };

/// Nothing below this is written. Default info.
void set_level(Level level) noexcept;
[[nodiscard]] Level level() noexcept;

void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

/// Another way for the lines that pass the level. What is empty stays as it was.
struct Route {
  std::function<std::string(Level, std::string_view message)> format;  ///< the line, without its end
  std::function<void(std::string_view line)> write;                    ///< instead of stderr; the line has its end
  std::function<void(Level, std::string_view message)> listen;  ///< hears of each message; may log, but not for ever
};

/// A route that holds as long as this lives, over the one before it.
class Routed {
 public:
  explicit Routed(Route route);
  ~Routed();
  Routed(const Routed&) = delete;
  Routed& operator=(const Routed&) = delete;

 private:
  Route m_before;
};

/// Lines have another form than the plain one.
[[nodiscard]] bool is_formatted() noexcept;
/// A line that the caller has formed, of this message.
void line(Level level, std::string_view message, const std::string& formed);

}  // namespace vdk::log
