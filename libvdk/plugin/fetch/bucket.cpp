// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/bucket.hpp"

#include "plugin/fetch/address.hpp"

namespace vdk::plugin {

void require_bucket(const ProviderConfig& config) {
  if (config.bucket.empty() || config.bucket.find_first_of("/?#@:\\ ") != std::string::npos) {
    throw provider_error(config, "'" + config.bucket + "' is no name of a bucket", "Correct bucket.");
  }
}

Error list_too_long(const ProviderConfig& config) {
  return {ErrorKind::too_large,
          {.what = "cannot look for versions in the bucket '" + config.bucket + "'",
           .why = "its list has more than " + std::to_string(k_max_list_pages) + " pages",
           .consequences = "It is not known which versions exist.",
           .countermeasures = "Give the plugins a folder of their own with prefix."}};
}

}  // namespace vdk::plugin
