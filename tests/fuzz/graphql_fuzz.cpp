// SPDX-License-Identifier: Apache-2.0
// Any text: a plan that the schema allows, or an error with its place. A line with a single NUL byte, if there is one,
// parts the query from its variables.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "control/server/graphql_parser.hpp"
#include "control/server/graphql_plan.hpp"

namespace {

void check(const std::vector<vdk::control::graphql::PlannedField>& fields, int depth) {
  for (const auto& field : fields) {
    if (field.key.empty() || field.parent == nullptr || depth > 50) {
      std::abort();
    }
    check(field.children, depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vdk::control::graphql;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\0'), text.size());
  try {
    const Document document = parse(text.substr(0, end));
    const std::string variables(text.substr(std::min(end + 1, text.size())));
    check(plan(document, document.operations.front().name, read_variables(variables)), 0);
  } catch (const QueryError& error) {
    if (std::string_view(error.what()).empty() || error.classification().empty()) {
      std::abort();
    }
  }
  return 0;
}
