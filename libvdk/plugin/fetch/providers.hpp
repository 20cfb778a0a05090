// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "vdk/plugin/provider.hpp"

namespace vdk::plugin {

[[nodiscard]] std::unique_ptr<Provider> make_http_provider(const ProviderConfig& config);
[[nodiscard]] std::unique_ptr<Provider> make_file_provider(const ProviderConfig& config);
[[nodiscard]] std::unique_ptr<Provider> make_s3_provider(const ProviderConfig& config);
[[nodiscard]] std::unique_ptr<Provider> make_gcs_provider(const ProviderConfig& config);
[[nodiscard]] std::unique_ptr<Provider> make_git_provider(const ProviderConfig& config,
                                                          const std::filesystem::path& scratch);

}  // namespace vdk::plugin
