// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/address.hpp"
#include "plugin/fetch/providers.hpp"

namespace vdk::plugin {

std::unique_ptr<Provider> make_provider(const ProviderConfig& config, const std::filesystem::path& scratch) {
  switch (config.kind) {
    case ProviderKind::http:
      return make_http_provider(config);
    case ProviderKind::gcs:
      return make_gcs_provider(config);
    case ProviderKind::s3:
      return make_s3_provider(config);
    case ProviderKind::file:
      return make_file_provider(config);
    case ProviderKind::git:
      return make_git_provider(config, scratch);
  }
  throw provider_error(config, "it is of an unknown kind", "Correct its type.");
}

}  // namespace vdk::plugin
