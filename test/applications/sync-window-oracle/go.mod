module image-resolver.io/sync-window-oracle

go 1.25

require (
	github.com/gobwas/glob v0.2.3
	github.com/robfig/cron/v3 v3.0.2-0.20210106135023-bc59245fe10e
)
