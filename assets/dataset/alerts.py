"""Tells somebody when a host keeps refusing: a line in the sensor's log, and a message to a web hook of yours."""

import json

import dagster as dg

from assets.resources import PipelineResource
from pipeline.sources.web.hosts import Hosts, HostState
from pipeline.sources.web.settings import WebSettings
from pipeline.stages.video.stage import video

TIMEOUT_S = 10.0


@dg.sensor(minimum_interval_seconds=300, description="Alert on hosts that refuse again and again.")
def refusing_hosts(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
    """Alert once on every rest of a host that has refused ``alert_after`` times in a row.

    A host whose pages hold no films is told of at once: waiting alone mends nothing.
    """
    settings = pipeline.settings().of(video).web
    states = Hosts.of(pipeline.store(), settings).states()
    refusing = [state for state in states if state.trouble or state.refusals >= settings.alert_after]
    alerted: dict[str, float] = json.loads(context.cursor or "{}")
    for state in refusing:
        if alerted.get(state.site) != state.resting_until:
            _alert(context, state, settings)
    context.update_cursor(json.dumps({state.site: state.resting_until for state in refusing}))
    return dg.SkipReason(f"{len(refusing)} of {len(states)} hosts refuse")


def _alert(context: dg.SensorEvaluationContext, state: HostState, settings: WebSettings) -> None:
    text = state.trouble or (
        f"{state.site} refused {state.refusals} times in a row and is left alone; slow down (video.web.interval_s), "
        "give it cookies (video.web.cookies_file) or take its sources out"
    )
    context.log.error(text)
    if settings.alert_url is None:
        return
    import urllib3

    try:
        answer = urllib3.request(
            "POST", settings.alert_url.get_secret_value(), json={"text": text}, timeout=TIMEOUT_S, retries=False
        )
    except urllib3.exceptions.HTTPError as error:
        context.log.warning("the alert could not be sent: %s", type(error).__name__)
    else:
        context.log.info("the alert was answered with %d", answer.status)
