// SPDX-License-Identifier: Apache-2.0
#include "control/server/graphql.hpp"

namespace vdk::control {

GraphqlAnswer answer_graphql(Service& /*service*/, const std::string& /*team*/, const std::string& /*query*/,
                             const std::string& /*operation_name*/, const std::string& /*variables_json*/) {
  return {400, R"({"errors":[{"message":"not built yet"}],"data":null})"};
}

}  // namespace vdk::control
