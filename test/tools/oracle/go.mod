module image-resolver.io/tools/oracle

go 1.25

require (
	github.com/Masterminds/semver/v3 v3.4.0
	github.com/distribution/reference v0.6.0
	github.com/opencontainers/go-digest v1.0.0
)
