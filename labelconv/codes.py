"""Every problem code, declared once with its page: `labelconv explain CODE` and docs/problems.md show it."""

from __future__ import annotations

from labelconv.problems import Code

RECORD_MALFORMED = Code(
    id="R101",
    name="record-malformed",
    severity="error",
    message="{expected} expected, {found} found",
    why="The record does not have the form its format asks for, so nothing certain can be read from it. It is left out; the rest goes on.",
    do="Mend the record at the place shown, or leave it out on purpose.",
    example="`bbox` with three numbers in a COCO annotation",
)
NUMBER_NOT_FINITE = Code(
    id="R102",
    name="number-not-finite",
    severity="error",
    message="a finite number expected, {found} found",
    why="NaN and infinities are not JSON and no target can draw them.",
    do="Find the step that made the number; most often a division by a size of 0.",
    example='`"bbox": [NaN, 3, 4, 5]`',
)
REFERENCE_DANGLING = Code(
    id="R103",
    name="reference-dangling",
    severity="error",
    message="{field} {value} is not among the {known}",
    why="The record points at something that the source does not have, so its picture or its class is not known.",
    do="Add the missing entry, or give the file that has it (for results: `-O categories=FILE`).",
    example="`category_id` 999 where the categories are 1 to 90",
)
ID_DUPLICATE = Code(
    id="R104",
    name="id-duplicate",
    severity="error",
    message="{field} {value} was already used at {first}",
    why="Two records with one id cannot be told apart by what refers to them. The first one stays.",
    do="Give one of them another id, together with the records that belong to it.",
    example="two images with `id` 1",
)
ANNOTATION_ID_DUPLICATE = Code(
    id="R105",
    name="annotation-id-duplicate",
    severity="note",
    message="annotation id {value} was already used; it is told apart as {renamed}",
    why="Many tools keep only the last annotation of an id. Both are kept here, under different names.",
    do="Nothing, if both are meant; else remove one.",
    example="two annotations with `id` 7",
)
NUMBER_AS_TEXT = Code(
    id="R106",
    name="number-as-text",
    severity="note",
    message="{field} is the text {found!r}; read as a number",
    why="Numbers in quotes are read, but other tools may refuse them.",
    do="Write numbers without quotes.",
    example='`"width": "640"`',
)
ENCODING_MARK = Code(
    id="R107",
    name="encoding-mark",
    severity="note",
    message="the file starts with a byte order mark; it was skipped",
    why="Some parsers refuse a file with a byte order mark.",
    do="Save the file as UTF-8 without it.",
    example="a file saved by Windows Notepad",
)
SHAPE_REPLACED = Code(
    id="R108",
    name="shape-replaced",
    severity="note",
    message="{found}; the declared box is used instead",
    why="The outline cannot be drawn, the box beside it can.",
    do="Draw the outline again, or read with `-O shape=box`.",
    example="a polygon of two points",
)
BOX_MISMATCH = Code(
    id="R109",
    name="box-mismatch",
    severity="note",
    message="the declared box {declared} differs from the outline's own {computed} by {drift:.3g} px",
    why="The outline is more exact and is what is used. The difference often shows an off-by-one in the tool that wrote the file.",
    do="Nothing, or recompute the boxes.",
    example="`[0, 0, 1, 9]` beside a mask of two columns and ten rows",
)
MASK_MALFORMED = Code(
    id="R110",
    name="mask-malformed",
    severity="error",
    message="run lengths of a {height}×{width} mask expected, {found}",
    why="A mask whose runs do not fill its picture cannot be placed.",
    do="Encode the mask again; its `size` is [height, width].",
    example="runs that add up to 49 in a 10×5 mask",
)
MASK_SIZE_MISMATCH = Code(
    id="R111",
    name="mask-size-mismatch",
    severity="error",
    message="a mask of the picture's size {expected} expected, {found} found",
    why="A mask of another size lies somewhere else on the picture.",
    do="Encode the mask at the picture's size; check whether height and width were swapped.",
    example="`size` [640, 480] for a picture 640 wide and 480 high",
)
FILE_MISSING = Code(
    id="R112",
    name="file-missing",
    severity="error",
    message="{file} expected, nothing found there",
    why="The record needs a file beside it.",
    do="Put the file there, or name its folder with the option shown by `labelconv formats`.",
    example="the PNG of a panoptic annotation",
)
CONVENTION_GUESSED = Code(
    id="R113",
    name="convention-guessed",
    severity="note",
    message="{what}: {evidence}",
    why="The source can be read in more than one way. The choice and its evidence are stated, so that you can disagree.",
    do="If the choice is wrong, set it with the option named.",
    example="five numbers in `bbox`, read as centre, size and angle",
)
KEY_REPEATED = Code(
    id="R114",
    name="key-repeated",
    severity="note",
    message="{key!r} occurs more than once at the top level; all of them are read",
    why="Parsers differ in which one they keep.",
    do="Join the parts.",
    example="two `annotations` arrays",
)
KEYPOINTS_MISMATCH = Code(
    id="R115",
    name="keypoints-mismatch",
    severity="error",
    message="{expected} keypoint numbers expected (three for each name of the category), {found} found",
    why="Without the names' order the points cannot be told apart.",
    do="Make the category's names and the points agree.",
    example="50 numbers where the category has 17 names",
)
SIZE_UNKNOWN = Code(
    id="R116",
    name="size-unknown",
    severity="note",
    message="the size of {count} pictures is not known",
    why="Borders cannot be checked and relative formats cannot be written without it.",
    do="Add `width` and `height`.",
    example='`"width": null`',
)
SHAPE_NOT_READ = Code(
    id="R117",
    name="shape-not-read",
    severity="note",
    message="{count} annotations have {field}, left unread as {option} asks",
    why="You asked for a simpler shape than the source has.",
    do="Leave the option away to get all of it.",
    example="`-O shape=box` on a file with polygons",
)
CROWD_KEPT = Code(
    id="R118",
    name="crowd-kept",
    severity="note",
    message="{count} crowd regions are read as ordinary annotations",
    why="A crowd marks a group of objects, and evaluation ignores it. As a pre-label it may not be wanted.",
    do="Pass `-O crowd=skip` to leave them out.",
    example='`"iscrowd": 1`',
)
SEGMENT_MISSING = Code(
    id="R119",
    name="segment-missing",
    severity="error",
    message="segment {segment} expected in {file}, no pixel of it found",
    why="The list and the picture of segments disagree.",
    do="Export both again, together.",
    example="a panoptic segment id without pixels",
)
SEGMENT_UNLISTED = Code(
    id="R120",
    name="segment-unlisted",
    severity="note",
    message="{file} has {count} segments that the list does not name: {segments}",
    why="These pixels have no class.",
    do="Export both again, together.",
    example="a colour in a panoptic PNG without an entry",
)
AREA_MISMATCH = Code(
    id="R121",
    name="area-mismatch",
    severity="note",
    message="the declared area {declared:g} differs from the segment's own {computed:g}",
    why="The pixels are what is used. The difference shows that list and picture were not made together.",
    do="Export both again, together.",
    example="an area of 100 beside 90 pixels in a panoptic PNG",
)
MEDIA_MISSING = Code(
    id="R122",
    name="media-missing",
    severity="error",
    message="the file of {name!r} is not found; {hint}",
    why="Its size is needed to read the labels, and the source does not say it.",
    do="Give the folder of the media with --media, or a CSV file of name, width and height with `-O sizes=FILE`.",
    example="labels/0001.txt without images/0001.jpg",
)
MEDIA_AMBIGUOUS = Code(
    id="R123",
    name="media-ambiguous",
    severity="error",
    message="one file for {name!r} expected, several found: {candidates}",
    why="Files of one name in different folders are different pictures; a guess would put labels on the wrong one.",
    do="Name the file with its folder, or give a narrower folder with --media.",
    example="1.jpg where there are a/1.jpg and b/1.jpg",
)
MEDIA_UNREADABLE = Code(
    id="R124",
    name="media-unreadable",
    severity="error",
    message="{file} cannot be read: {reason}",
    why="Its size, or its text, is needed to read the labels.",
    do="Mend the file, or give its size in a CSV file with `-O sizes=FILE`.",
    example="a JPEG that was cut off while it was copied",
)
MEDIA_TURNED = Code(
    id="R125",
    name="media-turned",
    severity="note",
    message="{count} pictures are shown turned by their EXIF orientation; sizes are as shown",
    why="Tools that ignore EXIF draw labels on the picture as it is stored, with width and height swapped.",
    do="Nothing, if the labels were made by a tool that shows pictures upright; else `-O exif=ignore`.",
    example="a photograph stored 4000 × 3000 with orientation 6 is 3000 × 4000",
)
MEDIA_UNUSED = Code(
    id="R126",
    name="media-unused",
    severity="note",
    message="nothing in the source needed --media",
    why="Sizes and addresses are in the source already, or the format does not look at media.",
    do="Leave --media away.",
    example="a COCO file with width and height of all images",
)
TIME_ROUNDED = Code(
    id="R129",
    name="time-rounded",
    severity="note",
    message="{count} times are finer than a millisecond and are rounded, by at most {drift:.3g} ms",
    why="Sounds are labelled in whole milliseconds (Labelbox takes no finer ones).",
    do="Nothing, as a rule.",
    example="a label that begins at 0.123456 s",
)
TIME_EMPTY = Code(
    id="R130",
    name="time-empty",
    severity="note",
    message="the label {name!r} has no length; it is read as one millisecond",
    why="A range of time without a length holds nowhere.",
    do="Give it a length in the source, if it matters.",
    example="a point label in Audacity",
)
PAYLOAD_NOT_READ = Code(
    id="R131",
    name="payload-not-read",
    severity="error",
    message="{found} found, which belongs to {media} and cannot be read with its data row",
    why="The line says something about another kind of media than the rest of its data row, or about one that labelconv does not know. It is left out rather than guessed at.",
    do="Take these lines out, or give them a data row of their own.",
    example="`segments` of a video in a data row that has a `location` in a text",
)
NAME_UNRESOLVED = Code(
    id="R132",
    name="name-unresolved",
    severity="note",
    message="{count} names are known by their schemaId alone, which stands in for the name: {ids}",
    why="The line names its feature by an id of the server, and the source does not say what it is called.",
    do="Pass the project's ontology (`-O ontology=FILE`).",
    example='`"schemaId": "ckrb1sf1i1g7i0ybcdc6oc8ct"`',
)
SPELLING_MENDED = Code(
    id="R133",
    name="spelling-mended",
    severity="note",
    message="{found} found; read as {result}",
    why="Older or hand-made files spell some things in ways that today's rules refuse. What is meant is clear, so it is read.",
    do="Nothing; what labelconv writes is spelled by today's rules.",
    example="a box of negative height",
)
TEXT_REBUILT = Code(
    id="R141",
    name="text-rebuilt",
    severity="note",
    message="the texts of {count} samples are put together from tokens; upload these texts",
    why="The format has no text. Offsets belong to the text that was put together here, character by character.",
    do="Write the texts with --media-out DIR and upload those files.",
    example="`Paris`, `.` become `Paris .`",
)
TOKEN_UNALIGNED = Code(
    id="R142",
    name="token-unaligned",
    severity="error",
    message="the text and its tokens expected to be the same characters, token {number} {token!r} is not found",
    why="Labels of tokens cannot be laid onto a text that has other words.",
    do="Mend the text or the token, or remove the text so that it is put together from the tokens.",
    example="the token `can` in the text `cannot` spelled `can not`",
)
SAMPLE_SKIPPED = Code(
    id="R143",
    name="sample-skipped",
    severity="note",
    message="{count} records are left out: {reason}",
    why="The source says that they are no truth: refused, unanswered or only predicted.",
    do="Nothing; an option of the reader takes them in where that makes sense.",
    example='`"answer": "reject"`',
)
TAG_CONFUSED = Code(
    id="R144",
    name="tag-confused",
    severity="note",
    message="{count} tags continue an entity that was not begun; each begins one",
    why="Schemes differ in how an entity begins. In the one found here, such a tag is a slip of whoever wrote it.",
    do="Nothing, if the entities are as you expect; else look at the first place.",
    example="`O`, then `I-PER` among `B-` tags",
)
FRAMES_UNPLACED = Code(
    id="R145",
    name="frames-unplaced",
    severity="error",
    message="frames of {name} are counted at {expected}, its file has {found}",
    why="Frames counted at one rate lie elsewhere in a video of another one, or of one that varies, as phones record it. Labels would be off by more and more frames.",
    do="Say the right rates with `-O fps=SOURCE:VIDEO`. Where the rate varies, give the time of each frame with `-O timestamps=` if the format has it, or label a copy of constant rate and upload that.",
    example="labels made at 24 frames a second on a video of 29.97",
)
VIDEO_DIFFERS = Code(
    id="R146",
    name="video-differs",
    severity="note",
    message="{name}: {found}; {expected}",
    why="The labels were made for another file, or the source is wrong about it. Frame numbers may mean other frames then.",
    do="Check a label late in the video. Upload the very file that was labelled.",
    example="a sequence of 750 frames in the source, and a file of 749",
)
BOX_IMPOSSIBLE = Code(
    id="M201",
    name="box-impossible",
    severity="error",
    message="a box with width and height of 0 or more expected, {found} found",
    why="A negative size means that corners and sizes were mixed up.",
    do="Check whether the numbers are corners (x0, y0, x1, y1) instead of x, y, width, height.",
    example="`[50, 60, -10, 20]`",
)
AREA_ZERO = Code(
    id="M202",
    name="area-zero",
    severity="note",
    message="the {kind} has no area",
    why="It cannot be seen or selected in an editor.",
    do="Remove it, or draw it again.",
    example="a box of width 0",
)
OUTSIDE_MEDIA = Code(
    id="M203",
    name="outside-media",
    severity="note",
    message="the {kind} reaches {drift:.4g} px past the picture's border",
    why="Editors may hide or misplace what lies outside. It is written as it is.",
    do="Clip it in the source, if it matters.",
    example="x = -0.5",
)
RELATION_END_MISSING = Code(
    id="M204",
    name="relation-end-missing",
    severity="error",
    message="both ends of the relation expected among the sample's annotations, {missing} not found",
    why="A relation without its ends cannot be imported.",
    do="Keep the annotation, or remove the relation.",
    example="an end that was rejected",
)
SHAPE_INVALID = Code(
    id="M205",
    name="shape-invalid",
    severity="error",
    message="{found}",
    why="The shape cannot be drawn.",
    do="Draw it again.",
    example="a polygon of two points without a box beside it",
)
SPAN_EMPTY = Code(
    id="M221",
    name="span-empty",
    severity="error",
    message="a span of one character or more expected, an empty one at {start} found",
    why="An entity without text cannot be shown or imported; where ends are inclusive it cannot even be written.",
    do="Remove it, or give the characters that are meant.",
    example='`[7, 7, "PERSON"]`',
)
SPAN_IMPOSSIBLE = Code(
    id="M222",
    name="span-impossible",
    severity="error",
    message="a span within the {length} {unit} of the text expected, {found} found",
    why="The offsets do not belong to this text, or they count something else than the reader was told.",
    do="Check that text and offsets were made together, and what the offsets count (`-O source_offsets=…`).",
    example="`[90, 95]` in a text of 80 characters; an offset in the middle of an emoji",
)
QUOTE_MISMATCH = Code(
    id="M223",
    name="quote-mismatch",
    severity="error",
    message="{quote!r} expected at {start}–{end} ({unit}), as the source quotes it, {held!r} found{hint}",
    why="Source and offsets contradict each other: the label would land on other characters than were marked.",
    do="Give the unit that the message names with `-O source_offsets=…`; if there is none, the text was changed after it was labelled.",
    example="offsets of a web tool, which count an emoji as two",
)
SPAN_CUTS_WORD = Code(
    id="M224",
    name="span-cuts-word",
    severity="note",
    message="{count} spans begin or end inside a word or a composed character",
    why="Some are meant (parts of compounds). Many at once are a sign of offsets that count something else.",
    do="Look at a few; if they are shifted, try `-O source_offsets=utf16` or `utf8`.",
    example="`ondo` in London",
)
SPAN_AT_BLANK = Code(
    id="M225",
    name="span-at-blank",
    severity="note",
    message="{count} spans begin or end with a blank",
    why="Formats of tokens cannot say so, and trainers such as spaCy refuse such entities.",
    do="Nothing, unless the offsets are shifted by one.",
    example="`Paris ` with the blank behind it",
)
COORDINATES_OUTSIDE = Code(
    id="M231",
    name="coordinates-outside",
    severity="error",
    message="{expected} expected, {found} found{hint}",
    why="The numbers mean something else than what they are taken for, or the place cannot be shown in the target's CRS.",
    do="Name the CRS that the coordinates are in (`labelconv formats NAME` shows the option), or choose another target CRS.",
    example="x = 733601 where degrees are expected",
)
LATITUDE_CLAMPED = Code(
    id="M232",
    name="latitude-clamped",
    severity="loss",
    message="the {kind} reaches latitude {latitude:.6f}, Web Mercator ends at 85.0511°; it was moved there",
    why="Web Mercator has no poles: beyond 85.0511287798066° tiles do not exist.",
    do="Use another CRS near the poles, or allow the loss.",
    example="latitude 89.9999 to EPSG:3857",
)
SEAM_CUT = Code(
    id="M233",
    name="seam-cut",
    severity="note",
    message="the {kind} crosses the antimeridian and was cut into {count} parts there",
    why="Longitude jumps from 180 to -180, so one ring across it would be drawn around the world (RFC 7946, section 3.1.9).",
    do="Nothing. An edge that is meant to go the long way round needs vertices at most 180° apart.",
    example="a polygon from longitude 179 to -179",
)
FEATURE_UNKNOWN = Code(
    id="O301",
    name="feature-unknown",
    severity="error",
    message="feature {name!r} is not in the ontology{hint}",
    why="Labelbox refuses lines whose feature the project does not have.",
    do="Rename it, or add it to the ontology.",
    example="`Car` where the ontology has `car`",
)
OPTION_UNKNOWN = Code(
    id="O302",
    name="option-unknown",
    severity="error",
    message="{name!r} is not an option of {question!r}{hint}",
    why="Labelbox refuses answers that are not among the options.",
    do="Use the option's label, exactly.",
    example="`Red ` with a blank",
)
KIND_WRONG = Code(
    id="O303",
    name="kind-wrong",
    severity="error",
    message="{name!r} is a {expected} in the ontology, a {found} was given",
    why="A payload must fit the kind of its tool or question.",
    do="Use the feature of the right kind, or convert the shape.",
    example="a polygon for a rectangle tool",
)
NESTING_WRONG = Code(
    id="O304",
    name="nesting-wrong",
    severity="error",
    message="question {name!r} does not belong under {parent!r}{hint}",
    why="A nested answer is only accepted below its own tool or option.",
    do="Put it where the ontology has it.",
    example="`shade` under `blue` instead of `red`",
)
OPTION_BY_VALUE = Code(
    id="O305",
    name="option-by-value",
    severity="error",
    message="{name!r} is the value of the option, its label {label!r} expected",
    why="Labelbox matches answers by the option's label.",
    do="Write the label.",
    example="`red` where the label is `Red`",
)
SCOPE_WRONG = Code(
    id="O306",
    name="scope-wrong",
    severity="error",
    message="{name!r} has scope {expected} in the ontology, used as {found}",
    why="Global questions take no frames and no messageId; index questions need them.",
    do="Move the answer, or change the question's scope.",
    example="`frames` on a global question",
)
RELATION_NOT_ALLOWED = Code(
    id="O307",
    name="relation-not-allowed",
    severity="error",
    message="{name!r} does not join {source!r} to {target!r} in the ontology{hint}",
    why="The relation's tool lists the pairs of tools that it may join, and this is not one of them.",
    do="Turn the relation round, or change the tool's constraints.",
    example="`wears` from a hat to a person where only person to hat is listed",
)
RENAME_UNUSED = Code(
    id="O308",
    name="rename-unused",
    severity="note",
    message="the names to change have {name!r}, which is no category of the source{hint}",
    why="The entry does nothing, which most often is a slip of the pen.",
    do="Correct the name, or remove the entry.",
    example="`Cars` where the source has `car`",
)
TOOL_AMBIGUOUS = Code(
    id="O309",
    name="tool-ambiguous",
    severity="note",
    message="{name!r} is drawn in several ways ({kinds}); its tool is {chosen}",
    why="Names of tools are unique in an ontology, and a tool draws one kind of shape. Lines of another kind will not fit it.",
    do="Give the others a name of their own with --rename, or have all of them written as one kind (`-W` options of the labelbox writer).",
    example="`car` as boxes and, where it has holes, as masks",
)
EDGE_UNCONSTRAINED = Code(
    id="O310",
    name="edge-unconstrained",
    severity="note",
    message="the relation {name!r} may join any features; the data has {pairs}",
    why="A tool for relations may list the pairs of features that it joins, and then no other can be drawn or imported. What the data has so far need not be all that is allowed, so it is not taken for the rule.",
    do="Ask for it with `labelconv ontology --constraints`.",
    example="`wears`, which joins a person to a hat wherever it occurs",
)
FRAMES_JOINED = Code(
    id="L447",
    name="frames-joined",
    severity="note",
    message="{pictures} pictures became one video, and {pieces} annotations on them {tracks} tracks",
    why="A tracker's labels, frame by frame, are objects over time. The ledger counts videos and tracks from here on.",
    do="Nothing, if the numbers are what you expect; else name the field that has the track id.",
    example="300 label files of a tracker with 20 objects",
)
VALUE_NOT_HELD = Code(
    id="L401",
    name="value-not-held",
    severity="loss",
    message="a {kind} cannot be written as {target}; the annotation is left out",
    why="The target has no place for this kind, nor for anything it could become.",
    do="Choose a target that holds it (`labelconv formats`), or allow the loss.",
    example="a polyline to a format that has only boxes",
)
SHAPE_LOWERED = Code(
    id="L402",
    name="shape-lowered",
    severity="loss",
    message="a {source} became a {result}",
    why="The target does not hold the shape, or the project's tool for it draws another kind, so it was cut down to that.",
    do="Choose a target or a tool that holds it, or allow the loss; see the measured IoU.",
    example="a polygon to a format that has only boxes",
)
HOLES_FILLED = Code(
    id="L403",
    name="holes-filled",
    severity="loss",
    message="{count} holes of a polygon were filled",
    why="What was cut out is now part of the object.",
    do="Write holes as masks, where the target can.",
    example="a ring-shaped object",
)
PARTS_DROPPED = Code(
    id="L404",
    name="parts-dropped",
    severity="loss",
    message="{count} smaller parts of a polygon were left out",
    why="Only the largest part of the object remains.",
    do="Write the parts as annotations of their own, or as a mask.",
    example="an object cut in two by a pole",
)
CONFIDENCE_DROPPED = Code(
    id="L405",
    name="confidence-dropped",
    severity="loss",
    message="the confidence is not written",
    why="The target has no place for it.",
    do="Allow the loss, or choose another target.",
    example="a detector's score to a ground-truth file",
)
CLASSIFICATION_DROPPED = Code(
    id="L406",
    name="classification-dropped",
    severity="loss",
    message="the answer to {name!r} is not written",
    why="The target has no place for it, or not at this depth.",
    do="Allow the loss, or choose another target.",
    example="a radio answer to COCO",
)
RELATION_DROPPED = Code(
    id="L407",
    name="relation-dropped",
    severity="loss",
    message="the relation {name!r} is not written",
    why="The target has no relations.",
    do="Allow the loss, or choose another target.",
    example="a relation to COCO",
)
SKELETON_SPLIT = Code(
    id="L408",
    name="skeleton-split",
    severity="loss",
    message="a skeleton of {count} visible keypoints became single points",
    why="The points keep their names, but not which of them belong together, nor their visibility.",
    do="Allow it if single points are what you want.",
    example="COCO keypoints to Labelbox",
)
MEDIA_NOT_HELD = Code(
    id="L409",
    name="media-not-held",
    severity="loss",
    message="{media} samples cannot be written as {target}; the sample is left out",
    why="The target is made for other media.",
    do="Choose another target.",
    example="a video to COCO",
)
FEATURE_CAP = Code(
    id="L410",
    name="feature-cap",
    severity="loss",
    message="more than {limit} lines of feature {name!r} for one data row; this one is left out",
    why="Labelbox takes at most 5,000 annotations of one feature on one data row in an import.",
    do="Split the import, or merge the parts into masks.",
    example="5,001 cells on one slide",
)
PARTS_SPLIT = Code(
    id="L411",
    name="parts-split",
    severity="note",
    message="a polygon of {count} parts became {count} annotations",
    why="The target's polygon has one ring. Nothing is gone, but one object is now several.",
    do="Write masks instead if it must stay one object (`-W parts=mask`).",
    example="an object cut in two by a pole",
)
HOLES_MASKED = Code(
    id="L412",
    name="holes-masked",
    severity="note",
    message="a polygon with {count} holes became a mask",
    why="The target's polygon has no holes, its mask has. The measure says how well the pixels cover the polygon.",
    do="Nothing; or fill the holes (`-W holes=fill`).",
    example="a ring-shaped object",
)
SHAPE_RESPELLED = Code(
    id="L413",
    name="shape-respelled",
    severity="note",
    message="a {source} is written as a {result}",
    why="Nothing is gone, but the form differs.",
    do="Nothing.",
    example="a rotated box as its four corners",
)
SAMPLE_EMPTY = Code(
    id="L414",
    name="sample-empty",
    severity="note",
    message="{count} samples without annotations have no place in the target",
    why="The target has one record per annotation, so an empty sample leaves no trace.",
    do="Keep the list of samples elsewhere if it matters that they were looked at.",
    example="a picture without objects to Labelbox",
)
FIELD_LEFT_OUT = Code(
    id="L415",
    name="field-left-out",
    severity="note",
    message="field {name} is not carried over ({count} times)",
    why="The source says something that the model or the target has no place for.",
    do="Nothing, if it is not needed there.",
    example="`license` to Labelbox",
)
IOU_LOW = Code(
    id="L416",
    name="iou-low",
    severity="loss",
    message="IoU {value:.4f} of what is written with what was read, at least {limit} asked",
    why="Geometry changed more than you allowed with `--min-iou`.",
    do="Look at the annotation; choose another shape or a lower limit.",
    example="a diagonal polygon as a box",
)
IDS_CHANGED = Code(
    id="L417",
    name="ids-changed",
    severity="note",
    message="{count} ids are numbered anew: {reason}",
    why="The target wants other ids than the source has.",
    do="Nothing, unless something else refers to them.",
    example="text ids to COCO",
)
DETAIL_DROPPED = Code(
    id="L418",
    name="detail-dropped",
    severity="loss",
    message="{what} is not written",
    why="The target has no place for it.",
    do="Allow the loss, or choose another target.",
    example="the direction of a relation",
)
SIZE_NEEDED = Code(
    id="L419",
    name="size-needed",
    severity="error",
    message="the size of {name!r} is not known; {target} cannot be written without it",
    why="Coordinates are fractions of the size there, or the size itself is asked for.",
    do="Give the folder of the pictures with --media, or a CSV file of name, width and height with `-O sizes=FILE`.",
    example="a COCO image without width and height, for YOLO",
)
TEXT_UNKNOWN = Code(
    id="L424",
    name="text-unknown",
    severity="error",
    message="the text of {name!r} is not known; {target} cannot be written without it",
    why="The source has offsets without the text that they belong to, and the target keeps both together.",
    do="Convert from a source that has the texts.",
    example="MAL lines, which name a data row but do not have its text, for spaCy",
)
NAME_RESPELLED = Code(
    id="L420",
    name="name-respelled",
    severity="note",
    message="{name!r} is written as {spelled!r}, since {target} cannot carry it as it is",
    why="The format has no way to quote some characters. They are percent-encoded, so names stay different.",
    do="Nothing, or give the name you want with --rename.",
    example="a class name with blanks in DOTA, where blanks end it",
)
NAMES_MERGED = Code(
    id="L421",
    name="names-merged",
    severity="loss",
    message="{name!r} and {other!r} would both be written as {spelled!r}",
    why="Two names would become one.",
    do="Rename one of them with --rename.",
    example="the class names `a b` and `a%20b`",
)
SHAPE_CLIPPED = Code(
    id="L422",
    name="shape-clipped",
    severity="note",
    message="the {kind} reaches {drift:.4g} px past the border and is cut off there",
    why="The target has no coordinates outside of the picture. At most a hundredth of the picture is cut.",
    do="Nothing, as a rule.",
    example="a box that ends at x = 640.4 in a picture 640 wide",
)
SHAPE_CUT = Code(
    id="L423",
    name="shape-cut",
    severity="loss",
    message="the {kind} reaches {drift:.4g} px past the border; what lies outside cannot be written",
    why="The target has no coordinates outside of the picture, and more than a hundredth of the picture's size is cut off.",
    do="Check whether the labels belong to this picture and size; if they do, accept it with --allow shape-cut.",
    example="a box around the whole of a car that is half in the picture",
)
TEXT_NEEDED = Code(
    id="L431",
    name="text-needed",
    severity="error",
    message="the text of {name!r} is not known; its offsets cannot be counted in UTF-16 units",
    why="An emoji is one code point and two UTF-16 units. Without the text nobody knows how many are before an offset.",
    do="Convert from a source that has the texts, or say `-W unknown_text=keep` if no text has a character above U+FFFF.",
    example="offsets that were read from lines that hold no text",
)
TRACK_THINNED = Code(
    id="L432",
    name="track-thinned",
    severity="note",
    message="{before} keyframes of {tracks} tracks became {after}; no frame is more than {worst:.4g} px off{iou}",
    why="The target interpolates between keyframes, so those on the way say nothing new.",
    do="Nothing, or ask for another tolerance (`-W tolerance=0` keeps every frame exact).",
    example="a box that stands still for 500 frames is two keyframes",
)
REPROJECTED = Code(
    id="L441",
    name="reprojected",
    severity="note",
    message="{count} annotations moved from {source} to {target}: {operation}; {accuracy}",
    why="Nothing is gone, but the coordinates are others. How well the operation agrees with the ground is its accuracy; where it is not known, both CRSs are taken for the same datum.",
    do="Nothing; or name the CRS that you want.",
    example="UTM to longitude and latitude",
)
VERTICES_ADDED = Code(
    id="L442",
    name="vertices-added",
    severity="note",
    message="{count} vertices were added to {shapes} shapes, so that no edge is off by more than {tolerance:g} {unit}",
    why="A straight edge in one CRS is a curve in another. Between the new vertices it is as good as straight.",
    do="Nothing; or state another tolerance.",
    example="an edge of 100 km in UTM, written in degrees",
)
BOX_GROWN = Code(
    id="L443",
    name="box-grown",
    severity="loss",
    message="a box became the box around it in {target}, which reaches {growth:.3g} m further",
    why="Its sides are not parallel to the axes there, and a box was asked for.",
    do="Let it become a polygon, which is exact, or allow the loss.",
    example="a box of UTM in longitude and latitude",
)
GRID_MISSING = Code(
    id="L444",
    name="grid-missing",
    severity="note",
    message="{source} to {target} would be more exact with {count} files that are not installed: {grids}",
    why="Some datums are joined by tables of differences, which PROJ does not carry with it. Nothing is fetched from the network, so a coarser operation was used.",
    do="If that matters, install the files (`projsync --file NAME`) and run again.",
    example="NAD27 to WGS 84 without us_noaa_conus.tif",
)
PIECES_SHARED = Code(
    id="L445",
    name="pieces-shared",
    severity="note",
    message="{count} annotations lie in several windows; each has its piece, with one share id",
    why="What lies on a border is cut there. The pieces say that they are one object.",
    do="Nothing; or join the pieces by their share id.",
    example="a roof on the border of two chips",
)
SLIVER_LEFT_OUT = Code(
    id="L446",
    name="sliver-left-out",
    severity="note",
    message="{count} pieces smaller than {limit:g} square {unit} are left out",
    why="Cutting leaves crumbs that no one would label. You stated the area below which they go.",
    do="State a smaller area (0 keeps all).",
    example="the corner of a roof, of half a pixel, in the next chip",
)
SCHEMA_BROKEN = Code(
    id="S501",
    name="schema-broken",
    severity="error",
    message="{message}",
    why="The record does not follow the target's schema, so it would be refused.",
    do="Mend the place shown.",
    example="`bbox` without `height`",
)
UUID_DUPLICATE = Code(
    id="S502",
    name="uuid-duplicate",
    severity="error",
    message="uuid {uuid} was already used on line {first}",
    why="Labelbox refuses a uuid that occurs twice in one import.",
    do="Give each line its own.",
    example="a file joined with itself",
)
RELATION_UNMATCHED = Code(
    id="S503",
    name="relation-unmatched",
    severity="error",
    message="{end} {uuid} is not the uuid of an object of this data row",
    why="A relation needs both ends in the same import and data row.",
    do="Write the object with this uuid, or remove the relation.",
    example="a relation whose box was filtered out",
)
CAP_EXCEEDED = Code(
    id="S504",
    name="cap-exceeded",
    severity="error",
    message="more than {limit} lines of feature {name!r} for one data row",
    why="Labelbox takes at most 5,000 annotations of one feature on one data row in an import.",
    do="Split the import.",
    example="5,001 cells on one slide",
)
OUTSIDE_ASSET = Code(
    id="S505",
    name="outside-asset",
    severity="error",
    message="the {kind} lies outside the {width}×{height} media",
    why="What lies outside is hidden or misplaced in the editor.",
    do="Clip or remove it.",
    example="x = 700 in a picture 640 wide",
)
LINE_BLANK = Code(
    id="S506",
    name="line-blank",
    severity="error",
    message="a JSON object expected, a blank line found",
    why="The SDK's parser fails on blank lines.",
    do="Remove the line.",
    example="two line feeds in a row",
)
ANSWER_REPEATED = Code(
    id="S507",
    name="answer-repeated",
    severity="error",
    message="question {name!r} of this data row was already answered on line {first}",
    why="One question is answered once for a data row; several ticked boxes are one line.",
    do="Join the answers.",
    example="a checklist written as three lines",
)
ORDER_WRONG = Code(
    id="S508",
    name="order-wrong",
    severity="error",
    message="{message}",
    why="Keyframes and ranges count upwards, each frame once.",
    do="Sort them.",
    example="keyframe 9 before keyframe 3",
)
OPTION_REPEATED = Code(
    id="S509",
    name="option-repeated",
    severity="error",
    message="option {name!r} is already ticked at {first}",
    why="A checklist names each ticked option once; Labelbox's validator refused the second one.",
    do="Remove one of them.",
    example='`"answer": [{"name": "a"}, {"name": "a"}]`',
)
MASK_UNUSABLE = Code(
    id="S510",
    name="mask-unusable",
    severity="error",
    message="{message}",
    why="Labelbox takes 8-bit grey PNGs of 0 and 1, or RGB PNGs with a colour, as large as the media.",
    do="Write the mask again in that form.",
    example="a PNG of 0 and 255",
)
FRAME_ZERO = Code(
    id="S511",
    name="frame-zero",
    severity="note",
    message="frame 0 found; Labelbox counts frames from 1",
    why="The server does not refuse frame 0, but the whole track is probably one frame early.",
    do="Add 1 to all frames.",
    example='`{"frame": 0, "bbox": …}`',
)
HEIGHT_NEGATIVE = Code(
    id="S512",
    name="height-negative",
    severity="note",
    message="a height of {height} is only meant for maps, where top is the north edge",
    why="In pictures y grows downwards, and a negative height means that corners were mixed up.",
    do="Nothing for tiled imagery; else write the upper edge as top and a positive height.",
    example='`{"top": 90, "left": 10, "height": -50, "width": 40}`',
)
SEPARATOR_RAW = Code(
    id="S513",
    name="separator-raw",
    severity="note",
    message="{character} stands unescaped in a text",
    why="The SDK's parser splits lines at this character and silently replaces it by a comma.",
    do="Write the file as ASCII, with `\\u` escapes.",
    example="a line separator pasted from a word processor",
)
IMPORT_EMPTY = Code(
    id="S514",
    name="import-empty",
    severity="error",
    message="at least one line expected, the file is empty",
    why="The SDK refuses an import without annotations.",
    do="Check whether the step before wrote anything; do not import this file.",
    example="a file of 0 bytes",
)
IMPORT_REFUSED = Code(
    id="S521",
    name="import-refused",
    severity="error",
    message="Labelbox refused the line: {reason}",
    why="The server's own words; what it refuses does not show up in the project.",
    do="Mend the line, which is in the file of what failed, and upload that.",
    example="a data row that is not in the project",
)
IMPORT_UNKNOWN = Code(
    id="S522",
    name="import-unknown",
    severity="error",
    message="whether Labelbox took the line is not known: {reason}",
    why="The line was sent, and nothing tells what became of it; sent again it may be there twice.",
    do="Look at the data row in Labelbox, then upload what is missing.",
    example="a status file that was asked for after more than 24 hours",
)
KEY_COLLISION = Code(
    id="K601",
    name="key-collision",
    severity="error",
    message="key {key!r} is already the key of {first}",
    why="Two samples with one key would be merged into one data row.",
    do="Use a template that tells them apart, such as `{path}`, or `--keys FILE.csv`.",
    example="`a/1.jpg` and `b/1.jpg` with `{stem}`",
)
KEY_TOO_LONG = Code(
    id="K602",
    name="key-too-long",
    severity="error",
    message="a key of at most 200 characters expected, {length} found: {key!r}",
    why="Labelbox refuses longer global keys.",
    do="Use a shorter template.",
    example="a signed URL as the key",
)
KEY_MISSING = Code(
    id="K603",
    name="key-missing",
    severity="error",
    message="{name!r} is not in {file}{hint}",
    why="The sample has no key in the table you gave.",
    do="Add it to the table.",
    example="a picture that came later",
)
KEY_AMBIGUOUS = Code(
    id="K604",
    name="key-ambiguous",
    severity="error",
    message="{name!r} matches several rows of {file}: {candidates}",
    why="The name fits more than one row once folders, spelling and encoding are set aside.",
    do="Write the full path in the table.",
    example="`1.jpg` where there are `a/1.jpg` and `b/1.jpg`",
)
KEY_FIELD_MISSING = Code(
    id="K605",
    name="key-field-missing",
    severity="error",
    message="the key template needs {field!r}; the sample has {known}",
    why="The template names a field that the source does not have here.",
    do="Use another field.",
    example="`{coco_url}` where it is absent",
)

KEY_RESPELLED = Code(
    id="K606",
    name="key-respelled",
    severity="note",
    message="the sample is written as {spelled!r}, since its key {name!r} cannot be a file name of its own here",
    why="The target keeps each sample in a file named after it.",
    do="Nothing, or give keys that are file names with --key or --keys.",
    example="the key `a//b`, or `a.jpg` where `a.png` has the label file already",
)
KEY_UNUSED = Code(
    id="K607",
    name="key-unused",
    severity="note",
    message="{count} keys of {file} are those of no sample, such as {example!r}",
    why="What the table says of them goes nowhere, which most often is a slip of the pen or another template of keys.",
    do="Compare them with the keys that `--keys-out` writes.",
    example="a row of metadata for `a.jpg` where the key is `photos/a.jpg`",
)
ADDRESS_SHARED = Code(
    id="K608",
    name="address-shared",
    severity="note",
    message="{count} samples get the address of another, such as {name!r}: {address}",
    why="Two data rows of one medium: the labels of the one would lie on the picture of the other.",
    do="Use a template that tells them apart, such as one with `{path}`.",
    example="`a/1.jpg` and `b/1.jpg` with `https://…/{stem}.jpg`",
)


#: All codes by id.
CODES: dict[str, Code] = {
    code.id: code for code in list(globals().values()) if isinstance(code, Code)
}
