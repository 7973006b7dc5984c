"""Stage ``clips``: a video is cut at its shot changes, and frames are chosen from every shot.

PySceneDetect proposes hard cuts and finds fades; whether the scene really changed is decided by correspondence:
the pixels that optical flow carries from one picture to the other must look alike. That tells a cut from a fast
pan and finds dissolves, in which no two neighbours differ much but the ends have nothing in common.
"""
