"""The picture of the stage ``scene``."""

from PIL import Image

from pipeline.pictures.chosen import ANY, Chosen, chosen_clip
from pipeline.pictures.floor_plan import floor_plan
from pipeline.pictures.layout import beside
from pipeline.pictures.stored import coloured_points, depth_picture
from pipeline.store.groups import SCENE
from pipeline.store.rows import read_pictures, read_scene
from pipeline.store.video import VideoStore

SIDE = 320


def plan_and_depth(video: VideoStore, chosen: Chosen = ANY) -> Image.Image:
    """Return a room from above with the way of the camera, and metric depth beside a picture."""
    rows = chosen_clip(video, SCENE, chosen)
    scene = read_scene(video, rows)
    points, colours = coloured_points(scene, read_pictures(video, rows))
    plan = floor_plan(points, colours, scene.camera_to_world[scene.registered], side=SIDE)
    return beside(plan, depth_picture(video, SCENE, "m", chosen))
