// SPDX-License-Identifier: Apache-2.0
// Keys of the original's Helm chart that this server does not need: a values.yaml may be used as it is.
#include "control/server/config_keys.hpp"

namespace vdk::control::server_config {

const std::vector<ForeignKey>& foreign_keys() {
  static const std::vector<ForeignKey> keys = [] {
    std::vector<ForeignKey> all;
    const auto add = [&](const char* reason, std::initializer_list<const char*> names) {
      for (const char* name : names) {
        all.push_back({.key = name, .reason = reason});
      }
    };
    add("it installs the service in Kubernetes", {"global",
                                                  "image",
                                                  "nameOverride",
                                                  "fullnameOverride",
                                                  "service.type",
                                                  "service.externalTrafficPolicy",
                                                  "service.nodePort",
                                                  "service.loadBalancerSourceRanges",
                                                  "service.loadBalancerIP",
                                                  "service.clusterIP",
                                                  "service.additionalLabels",
                                                  "nginx",
                                                  "ingress",
                                                  "replicas",
                                                  "resources",
                                                  "poddisruptionbudget",
                                                  "datajobslimitrange",
                                                  "datajobsresourcequota",
                                                  "rbac",
                                                  "serviceAccount",
                                                  "extraVars",
                                                  "extraEnvVars",
                                                  "livenessProbe",
                                                  "readinessProbe",
                                                  "startupProbe",
                                                  "customLivenessProbe",
                                                  "customReadinessProbe",
                                                  "customStartupProbe",
                                                  "customStartupProbeProbe",
                                                  "fluentd",
                                                  "dataJob.fluentd"});
    add("jobs do not run in Kubernetes here",
        {"deploymentK8sNamespace", "deploymentK8sKubeconfig", "controlK8sNamespace", "datajobTemplate",
         "deploymentAdditionalLabels", "dataJob.readOnlyRootFileSystem", "dataJob.deployment.jobImagePullPolicy",
         "dataJob.deployment.initContainer"});
    add("no container images are built here", {"deploymentBuilderImage",
                                               "deploymentBuilder",
                                               "deploymentBuilderResourcesDefault",
                                               "deploymentDockerRepository",
                                               "proxyRepositoryURL",
                                               "deploymentDockerRegistryType",
                                               "deploymentDockerRegistryUsername",
                                               "deploymentDockerRegistryPassword",
                                               "deploymentDockerRegistryUsernameReadOnly",
                                               "deploymentDockerRegistryPasswordReadOnly",
                                               "deploymentEcrAwsRegion",
                                               "deploymentEcrAwsAccessKeyId",
                                               "deploymentEcrAwsAccessKeySecret",
                                               "deploymentEcrAwsAssumeIamRole",
                                               "deploymentEcrAwsServiceAccountAccessKeyId",
                                               "deploymentEcrAwsServiceAccountSecretAccessKey",
                                               "deploymentEcrAwsRoleArn",
                                               "deploymentEcrAwsDefaultSessionDurationSeconds",
                                               "jfrogArtifactoryUrl",
                                               "jfrogArtifactoryUsername",
                                               "jfrogArtifactoryPassword",
                                               "jfrogArtifactoryRepo",
                                               "deploymentVdkDistributionImage",
                                               "deploymentDataJobBaseImage"});
    add("the operations page is part of the server", {"operationsUi"});
    add("databases are not started by the server: database.url names one", {"postgresql", "cockroachdb"});
    add("metrics are always served at /data-jobs/debug/prometheus; alerts are the monitoring system's",
        {"metrics", "alerting", "monitoringSync", "alertmanager"});
    add("there is no Kerberos login",
        {"security.kerberos.kerberosServicePrincipal", "security.kerberos.kerberosServiceKeytab"});
    add("no Kerberos keys are made", {"credentials.principalPattern", "credentials.kerberosKrb5Conf",
                                      "credentials.kerberosKadminUser", "credentials.kerberosKadminPassword"});
    add("OAuth applications are not made",
        {"webHooks.createOAuthApp.internalErrorsRetries", "webHooks.createOAuthApp.authenticationEnabled",
         "webHooks.createOAuthApp.authorizationServerEndpoint", "webHooks.createOAuthApp.authorizationRefreshToken"});
    add("secrets are kept in the database",
        {"secrets.vault.externalSecretName", "secrets.vault.uri", "secrets.vault.approle",
         "secrets.vault.sizeLimitBytes", "secrets.vault.kvstore", "secrets.vault.kvstoremeta"});
    add("the address alone names the repository",
        {"deploymentGitRemote", "deploymentCodeCommitAwsAssumeIamRole", "deploymentGitRemoteCodeCommitUrl"});
    add("there is one queue of roll-outs, and no delay",
        {"dataJob.deployment.configuration.synchronizationTask.initialDelayMs",
         "dataJob.deployment.configuration.synchronizationTask.maxPoolSize",
         "dataJob.deployment.configuration.synchronizationTask.queueCapacity",
         "dataJob.deployment.configuration.synchronizationTask.keepAliveSeconds"});
    add("the database is always read", {"dataJob.deployment.configuration.persistence.readDataSource"});
    add("libcurl chooses the protocol version", {"mail.smtp.ssl"});
    add("log lines are plain text", {"loggingFormat"});
    return all;
  }();
  return keys;
}

}  // namespace vdk::control::server_config
