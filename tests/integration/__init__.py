"""End-to-end checks of a june that runs: ``june up`` on this machine, or one that is deployed.

``pytest tests/integration`` runs them all, ``pytest tests/integration/test_memory.py`` one subject; they are not among
the tests of ``make test``, which needs no june. By default they try what ``june up`` runs; Temporal's environment
configuration (``TEMPORAL_ADDRESS``) names another. Each test talks in a chat of its own (``integration-...``), and has
june forget it. Where no june answers, the run ends with one sentence and exit code 69.

============================  ======================================================================================
``test_voice_turn.py``        the shipped question as june hears it, its answer in Ogg/Opus as june hears that; text
``test_doors.py``             whole turns on the web page, on Telegram and on Discord
``test_memory.py``            the second prompt holds the first turn; reset; forgetting
``test_cancellation.py``      the turn under way and the one that waits are cancelled, the next is answered
``test_limits.py``            codes of bad recordings; a flood is refused once
``test_latency.py``           half of a few spoken turns within ``LATENCY_BUDGET_SECONDS``
``test_resilience.py``        a worker or the model's server is killed amid a turn (only with ``MAY_KILL``)
``test_observability.py``     queues polled, Web UI, search, readiness, stage metrics, the trace of a turn
============================  ======================================================================================

Settings, each with the prefix ``JUNE_INTEGRATION_`` (``settings.py`` has the details):

============================  ========  ============================================================================
``WEB_URL``                             the web page; empty for that of ``june up``
``WEB_PASSWORD``                        its password; empty for ``JUNE_WEB_PASSWORD``
``TELEGRAM_CHAT``                       a group of the tests' own; empty: no turn over Telegram
``DISCORD_CHANNEL``                     a channel of the tests' own; empty: no turn over Discord
``UI_URL``                              Temporal's Web UI; empty for that of ``june up``
``METRICS_URLS``                        Prometheus end points of all workers; empty for those of ``june up``
``READY_URLS``                          readiness of all workers; empty for those of ``june up``
``OTLP_URL``                            june's ``JUNE_OTLP_URL``, where no collector listens; empty: traces untested
``TURN_SECONDS``              120       timeout of one turn, in seconds
``WER_LIMIT``                 0.25      largest word error rate
``LATENCY_TURNS``             5         turns that are measured
``LATENCY_BUDGET_SECONDS``    30        most that half of them may take
``MAY_KILL``                  false     processes of ``june up`` may be killed, which disturbs whoever uses it
============================  ========  ============================================================================

Shared with june by its own settings: ``JUNE_HOME`` and ``JUNE_BLOB_URL`` (the store of recordings), ``JUNE_AUDIO_*``
(the caps), ``JUNE_TELEGRAM_*`` and ``JUNE_DISCORD_*`` (tokens and owners, without which those platforms are skipped).
"""
