# SPDX-License-Identifier: Apache-2.0
"""Each file is one revision, and each revision has one purpose."""
