// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace vdk {

/// What sort of thing went wrong; decides the exit code and, later, the HTTP status.
enum class ErrorKind {
  operation,      ///< the operation or the job failed: exit 1
  user_code,      ///< the data job's own code or requirements failed: exit 1
  platform,       ///< vdk, the machine or the service failed: exit 1
  usage,          ///< wrong command line: exit 2
  configuration,  ///< wrong config.ini, setting, or value: exit 2
  pending,        ///< changes are pending, only when asked for: exit 3
  login,          ///< login needed or expired: exit 4
  not_found,      ///< job, deployment, execution … does not exist: exit 5
  conflict,       ///< exists already, is running, is locked: exit 6
  timeout,        ///< gave up waiting: exit 7
  unreachable,    ///< the service cannot be reached: exit 8
  unsupported,    ///< this service or machine does not have the feature: exit 1
  too_large,      ///< over a limit: exit 2
  internal,       ///< a bug in vdk: exit 70
  interrupted,    ///< Ctrl-C: exit 130
};

/// Exit code of the process for an error of this kind (docs/exit-codes.md).
[[nodiscard]] int exit_code(ErrorKind kind) noexcept;

/// Stable snake_case name of the kind, used in JSON output.
[[nodiscard]] std::string_view to_string(ErrorKind kind) noexcept;

/// A place in a file that a person can open. Lines and columns count from 1, 0 = unknown.
struct SourceLocation {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;  ///< in bytes of `text`, from 1
  std::size_t length = 1;  ///< how many columns the caret underlines
  std::string text;        ///< the source line itself, without its line end
};

/// The four texts that every error of vdk has, in the original's order.
struct ErrorText {
  std::string what;
  std::string why;
  std::string consequences;
  std::string countermeasures;
};

/// An error that travels to a person: to the terminal, to JSON, to REST, unchanged.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, ErrorText text, std::optional<SourceLocation> location = std::nullopt);

  [[nodiscard]] ErrorKind kind() const noexcept { return m_kind; }
  [[nodiscard]] const ErrorText& text() const noexcept { return m_text; }
  [[nodiscard]] const std::optional<SourceLocation>& location() const noexcept { return m_location; }
  /// `what: why`, for logs and for std::exception handlers.
  [[nodiscard]] const char* what() const noexcept override { return m_summary.c_str(); }

 private:
  ErrorKind m_kind;
  ErrorText m_text;
  std::optional<SourceLocation> m_location;
  std::string m_summary;
};

/// Plain text of an error as it goes to stderr, final newline included:
/// `error: WHAT`, the location with source line and caret when there is one, then
/// `why:`, `consequences:`, `countermeasures:` (empty parts are left out).
[[nodiscard]] std::string format_error(const Error& error);

/// Error for a failed system call: `what` is the action ("cannot open 'x'"), why is strerror(number).
[[nodiscard]] Error system_error(std::string what, int number, std::string countermeasures = {});

}  // namespace vdk
