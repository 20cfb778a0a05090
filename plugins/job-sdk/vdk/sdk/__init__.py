# SPDX-License-Identifier: Apache-2.0
"""The part of the SDK that jobs do not import themselves."""
