// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/config.hpp"

#include <algorithm>

namespace vdk::plugin {

std::string_view to_string(ProviderKind kind) noexcept {
  switch (kind) {
    case ProviderKind::http:
      return "http";
    case ProviderKind::gcs:
      return "gcs";
    case ProviderKind::s3:
      return "s3";
    case ProviderKind::file:
      return "file";
    case ProviderKind::git:
      return "git";
  }
  return "";
}

std::optional<Error> to_error(const std::string& file, const std::vector<Problem>& problems) {
  const auto is_error = [](const Problem& problem) { return problem.severity == Problem::Severity::error; };
  const auto count = std::count_if(problems.begin(), problems.end(), is_error);
  if (count == 0) {
    return std::nullopt;
  }
  std::string why;
  std::optional<SourceLocation> first;
  for (const Problem& problem : problems) {
    if (!is_error(problem)) {
      continue;
    }
    if (!first) {
      first = problem.location;
    }
    const SourceLocation& at = problem.location;
    why += why.empty() ? "" : "\n  ";
    if (at.line != 0) {
      why += std::to_string(at.line) + ":" + std::to_string(at.column) + ": ";
    }
    why += problem.message + (problem.hint.empty() ? "" : " (" + problem.hint + ")");
  }
  return Error(ErrorKind::configuration,
               {.what = "'" + file + "' has " + (count == 1 ? "a mistake" : std::to_string(count) + " mistakes"),
                .why = why,
                .consequences = "Nothing was read from it and nothing was changed.",
                .countermeasures = "Mend every line named above and try again."},
               first);
}

}  // namespace vdk::plugin
